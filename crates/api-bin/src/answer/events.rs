//! Answers that go on.

use std::convert::Infallible;

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{
    MediaType, Operation, Response as Documented, SchemaObject, StatusCode as Code,
};
use axum::http::HeaderName;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{BoxStream, Stream, StreamExt as _};
use monitor_core::metric::StoredCheck;

const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Server-sent events.
pub(crate) struct EventStream(BoxStream<'static, Result<Event, Infallible>>);

impl EventStream {
    pub(crate) fn new(
        events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static,
    ) -> Self {
        Self(events.boxed())
    }
}

impl IntoResponse for EventStream {
    fn into_response(self) -> Response {
        // A proxy that buffers would keep them.
        let unbuffered = [(X_ACCEL_BUFFERING, "no")];
        (
            unbuffered,
            Sse::new(self.0).keep_alive(KeepAlive::default()),
        )
            .into_response()
    }
}

impl OperationOutput for EventStream {
    type Inner = Self;

    fn operation_response(context: &mut GenContext, _: &mut Operation) -> Option<Documented> {
        // The schema of the data of an event is of use, though that of the stream would be a text.
        let json_schema = context.schema.subschema_for::<StoredCheck>();
        let schema = SchemaObject {
            json_schema,
            external_docs: None,
            example: None,
        };
        let media = MediaType {
            schema: Some(schema),
            ..MediaType::default()
        };
        Some(Documented {
            description: "Events; the schema is that of the data of one".to_owned(),
            content: [("text/event-stream".to_owned(), media)]
                .into_iter()
                .collect(),
            ..Documented::default()
        })
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Code>, Documented)> {
        let response = Self::operation_response(context, operation);
        response
            .into_iter()
            .map(|response| (Some(Code::Code(200)), response))
            .collect()
    }
}

//! Answers that go on.

use std::convert::Infallible;

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Documented, StatusCode as Code};
use axum::http::HeaderName;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{BoxStream, Stream, StreamExt as _};
use monitor_core::metric::StoredCheck;

use crate::described;

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
        let media = described::content_of::<StoredCheck>(context);
        let about = "Events; the schema is that of the data of one";
        Some(described::response(about, "text/event-stream", media))
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Code>, Documented)> {
        described::only(Some(200), Self::operation_response(context, operation))
    }
}

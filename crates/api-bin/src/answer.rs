//! Answers that are not simply `200`.

use std::convert::Infallible;
use std::marker::PhantomData;

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{
    MediaType, Operation, Response as Documented, SchemaObject, StatusCode as Code,
};
use axum::Json;
use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderName, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{BoxStream, Stream, StreamExt as _};
use monitor_core::metric::StoredCheck;
use schemars::JsonSchema;
use serde::Serialize;

const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Something was made, and is there now.
pub(crate) struct Created<T> {
    /// Where.
    pub(crate) location: String,
    /// What it is.
    pub(crate) body: T,
}

impl<T: IntoResponse> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, [(LOCATION, self.location)], self.body).into_response()
    }
}

impl<T: OperationOutput> OperationOutput for Created<T> {
    type Inner = T::Inner;

    fn operation_response(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Option<Documented> {
        T::operation_response(context, operation)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Code>, Documented)> {
        let response = T::operation_response(context, operation);
        response
            .into_iter()
            .map(|response| (Some(Code::Code(201)), response))
            .collect()
    }
}

/// It is done, and there is nothing to say.
pub(crate) struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl OperationOutput for NoContent {
    type Inner = Self;

    fn inferred_responses(
        _: &mut GenContext,
        _: &mut Operation,
    ) -> Vec<(Option<Code>, Documented)> {
        let description = "It is done".to_owned();
        vec![(
            Some(Code::Code(204)),
            Documented {
                description,
                ..Documented::default()
            },
        )]
    }
}

/// A text that is not JSON.
macro_rules! text {
    ($(#[$about:meta])* $name:ident, $media_type:literal, $cache:literal) => {
        $(#[$about])*
        pub(crate) struct $name(pub(crate) String);

        impl IntoResponse for $name {
            fn into_response(self) -> Response {
                let headers = [(CONTENT_TYPE, $media_type), (CACHE_CONTROL, $cache)];
                (headers, self.0).into_response()
            }
        }

        impl OperationOutput for $name {
            type Inner = Self;

            fn operation_response(_: &mut GenContext, _: &mut Operation) -> Option<Documented> {
                let content = [($media_type.to_owned(), MediaType::default())].into_iter().collect();
                let description = "As its media type says".to_owned();
                Some(Documented { description, content, ..Documented::default() })
            }

            fn inferred_responses(
                context: &mut GenContext,
                operation: &mut Operation,
            ) -> Vec<(Option<Code>, Documented)> {
                let response = Self::operation_response(context, operation);
                response.into_iter().map(|response| (Some(Code::Code(200)), response)).collect()
            }
        }
    };
}

text!(
    /// The text format of Prometheus.
    PrometheusText,
    "text/plain; version=0.0.4; charset=utf-8",
    "private, no-cache"
);
text!(
    /// A picture; those who show it may keep it for a minute.
    Svg,
    "image/svg+xml",
    "max-age=60"
);

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

/// JSON that was written already.
pub(crate) struct JsonText<T> {
    bytes: Bytes,
    of: PhantomData<T>,
}

impl<T> JsonText<T> {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self {
            bytes,
            of: PhantomData,
        }
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl<T: Serialize> JsonText<T> {
    pub(crate) fn of(value: &T) -> Self {
        Self::new(serde_json::to_vec(value).unwrap_or_default().into())
    }
}

impl<T> IntoResponse for JsonText<T> {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "application/json")], self.bytes).into_response()
    }
}

impl<T: Serialize + JsonSchema> OperationOutput for JsonText<T> {
    type Inner = T;

    fn operation_response(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Option<Documented> {
        <Json<T> as OperationOutput>::operation_response(context, operation)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Code>, Documented)> {
        <Json<T> as OperationOutput>::inferred_responses(context, operation)
    }
}

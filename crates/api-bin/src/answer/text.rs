//! Answers that are texts of their own kind.

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, Response as Documented, StatusCode as Code};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::described;

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
                let content = MediaType::default();
                Some(described::response("As its media type says", $media_type, content))
            }

            fn inferred_responses(
                context: &mut GenContext,
                operation: &mut Operation,
            ) -> Vec<(Option<Code>, Documented)> {
                described::only(Some(200), Self::operation_response(context, operation))
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

//! Answers that are texts of their own kind.

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, Response as Documented, StatusCode as Code};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

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

//! Answers that need not be sent again.

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Documented, StatusCode as Code};
use axum::Json;
use axum::http::header::{ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

/// The tag of a thing that has a version.
pub(crate) fn of_version(version: i64) -> HeaderValue {
    quoted(&version.to_string())
}

/// The tag of what has these bytes.
pub(crate) fn of_bytes(bytes: &[u8]) -> HeaderValue {
    quoted(&format!("{:016x}", xxh3_64(bytes)))
}

fn quoted(text: &str) -> HeaderValue {
    HeaderValue::try_from(format!("\"{text}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Whether a list of tags (`If-None-Match`, `If-Match`) names this one. Weak tags are as good: what is
/// compressed on the way is the same thing.
pub(crate) fn names(list: &HeaderValue, tag: &HeaderValue) -> bool {
    let tag = tag.to_str().unwrap_or_default();
    let mut tags = list.to_str().unwrap_or_default().split(',').map(str::trim);
    tags.any(|named| named == "*" || named.trim_start_matches("W/") == tag)
}

/// A thing with a tag, or that the client has it already.
pub(crate) struct Tagged<T> {
    tag: HeaderValue,
    /// `None` when the client has it.
    body: Option<T>,
}

impl<T> Tagged<T> {
    /// `body`, unless the headers of the request say that the client has it.
    pub(crate) fn new(request: &HeaderMap, tag: HeaderValue, body: T) -> Self {
        let known = request
            .get_all(IF_NONE_MATCH)
            .iter()
            .any(|list| names(list, &tag));
        let body = (!known).then_some(body);
        Self { tag, body }
    }
}

impl<T: IntoResponse> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let tag = [(ETAG, self.tag)];
        match self.body {
            Some(body) => (tag, body).into_response(),
            None => (StatusCode::NOT_MODIFIED, tag).into_response(),
        }
    }
}

impl<T: Serialize + JsonSchema> OperationOutput for Tagged<Json<T>> {
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
        let mut responses = <Json<T> as OperationOutput>::inferred_responses(context, operation);
        let description = "What the client has, by If-None-Match, is still right".to_owned();
        responses.push((
            Some(Code::Code(304)),
            Documented {
                description,
                ..Documented::default()
            },
        ));
        responses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_its_tags_also_as_weak_ones() {
        let named = |list: &'static str| names(&HeaderValue::from_static(list), &of_version(7));
        for list in ["\"7\"", "W/\"7\"", "\"6\", \"7\"", "*"] {
            assert!(named(list), "{list}");
        }
        for list in ["\"77\"", "7", "", "\"6\""] {
            assert!(!named(list), "{list}");
        }
    }
}

//! Answers that need not be sent again.

use std::convert::Infallible;

use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Documented, StatusCode as Code};
use aide::{OperationInput, OperationOutput};
use axum::extract::FromRequestParts;
use axum::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use xxhash_rust::xxh3::xxh3_64;

use crate::described::{self, add_header};
use crate::problem::Problem;

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

/// Whether a list of tags names this one. Weak tags are as good: what is
/// compressed on the way is the same thing.
fn names(list: &HeaderValue, tag: &HeaderValue) -> bool {
    let tag = tag.to_str().unwrap_or_default();
    let mut tags = list.to_str().unwrap_or_default().split(',').map(str::trim);
    tags.any(|named| named == "*" || named.trim_start_matches("W/") == tag)
}

/// The tags of what the client has.
pub(crate) struct IfNoneMatch(Vec<HeaderValue>);

impl<S: Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(
            parts
                .headers
                .get_all(IF_NONE_MATCH)
                .iter()
                .cloned()
                .collect(),
        ))
    }
}

impl OperationInput for IfNoneMatch {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let about = "The tags of what you have; answered with 304 when it is still right.";
        add_header(context, operation, "If-None-Match", about);
    }
}

/// The version that is to be changed; any when there is none.
pub(crate) struct IfMatch(pub(crate) Option<i64>);

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(header) = parts.headers.get(IF_MATCH) else {
            return Ok(Self(None));
        };
        let text = header.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self(None));
        }
        let version = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        let version = version.and_then(|version| version.parse().ok());
        version.map(|version| Self(Some(version))).ok_or_else(|| {
            Problem::field(
                "If-Match",
                "expected the tag of what is to be changed, as it was read, such as \"3\"",
            )
        })
    }
}

impl OperationInput for IfMatch {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let about = "The tag of the version that you want to change: nothing is changed when there is \
                     another one by now.";
        add_header(context, operation, "If-Match", about);
    }
}

/// A thing with a tag, or that the client has it already.
pub(crate) struct Tagged<T> {
    tag: HeaderValue,
    /// `None` when the client has it.
    body: Option<T>,
}

impl<T> Tagged<T> {
    /// `body` as it is now.
    pub(crate) fn fresh(tag: HeaderValue, body: T) -> Self {
        Self {
            tag,
            body: Some(body),
        }
    }

    /// `body`, unless the client has it.
    pub(crate) fn unless_known(known: &IfNoneMatch, tag: HeaderValue, body: T) -> Self {
        let known = known.0.iter().any(|list| names(list, &tag));
        Self {
            tag,
            body: (!known).then_some(body),
        }
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

impl<T: OperationOutput> OperationOutput for Tagged<T> {
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
        let mut responses = T::inferred_responses(context, operation);
        let known = described::empty("What the client has, by If-None-Match, is still right");
        responses.push((Some(Code::Code(304)), known));
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

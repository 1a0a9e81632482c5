//! Long answers, a page at a time.

use aide::OperationOutput;
use aide::generate::GenContext;
use aide::openapi::{Operation, Response as Documented, StatusCode as Code};
use axum::Json;
use axum::http::header::LINK;
use axum::http::{HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use url::form_urlencoded;

/// Items that a page has unless told otherwise.
const DEFAULT: u32 = 100;

/// Most items of a page: 1 to `MAX`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit<const MAX: u32>(pub(crate) u32);

impl<const MAX: u32> Default for Limit<MAX> {
    fn default() -> Self {
        Self(DEFAULT.min(MAX))
    }
}

impl<'de, const MAX: u32> Deserialize<'de> for Limit<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = u32::deserialize(deserializer)
            .ok()
            .filter(|limit| (1..=MAX).contains(limit));
        limit
            .map(Self)
            .ok_or_else(|| de::Error::custom(format!("expected a number from 1 to {MAX}")))
    }
}

impl<const MAX: u32> JsonSchema for Limit<MAX> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 1, "maximum": MAX})
    }
}

/// One page of a long answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub(crate) struct Page<T> {
    items: Vec<T>,
    /// Where the next page is; null on the last one. The header `Link` says so too.
    next: Option<String>,
}

impl<T> Page<T> {
    /// The page that was asked for by `asked`; the next one begins after `after`.
    pub(crate) fn new(items: Vec<T>, asked: &Uri, after: Option<&str>) -> Self {
        Self {
            items,
            next: after.map(|after| following(asked, after)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

/// The same question, from there on.
fn following(asked: &Uri, after: &str) -> String {
    let query = asked.query().unwrap_or_default();
    let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "after");
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs).append_pair("after", after);
    format!("{}?{}", asked.path(), query.finish())
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        let link = self
            .next
            .as_ref()
            .map(|next| format!("<{next}>; rel=\"next\""));
        let mut response = Json(self).into_response();
        if let Some(link) = link.and_then(|link| HeaderValue::try_from(link).ok()) {
            response.headers_mut().insert(LINK, link);
        }
        response
    }
}

impl<T: Serialize + JsonSchema> OperationOutput for Page<T> {
    type Inner = Self;

    fn operation_response(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Option<Documented> {
        <Json<Self> as OperationOutput>::operation_response(context, operation)
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<Code>, Documented)> {
        <Json<Self> as OperationOutput>::inferred_responses(context, operation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_the_same_question_from_there_on() {
        let asked: Uri = "/api/v1/sites?tag=a%26b&after=x&limit=2".parse().unwrap();
        let next = Page::new(vec![1], &asked, Some("ä/\u{1F600}")).next;
        assert_eq!(
            next.unwrap(),
            "/api/v1/sites?tag=a%26b&limit=2&after=%C3%A4%2F%F0%9F%98%80"
        );
        assert_eq!(Page::new(vec![1], &asked, None).next, None);
    }

    #[test]
    fn a_limit_has_limits() {
        #[derive(Deserialize)]
        struct Asked {
            #[serde(default)]
            limit: Limit<1_000>,
        }
        let limit = |text: &str| {
            serde_urlencoded::from_str::<Asked>(text)
                .ok()
                .map(|asked| asked.limit.0)
        };
        assert_eq!(limit(""), Some(DEFAULT));
        assert_eq!(limit("limit=1000"), Some(1_000));
        assert!(
            ["limit=0", "limit=1001", "limit=-1", "limit=x"]
                .iter()
                .all(|text| limit(text).is_none())
        );
    }
}

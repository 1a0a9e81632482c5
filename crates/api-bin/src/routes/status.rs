//! The public status pages: HTML for everybody, with or without a token.

use aide::axum::ApiRouter;
use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, REFRESH, RETRY_AFTER,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::etag::{IfNoneMatch, Tagged};
use crate::extract::{Path, Query};
use crate::problem::{Kind, Problem};
use crate::state::Api;
use crate::status::{self, Answer, FRESH, Unknown};

/// In seconds; pages are kept about as long.
const SHORTEST_REFRESH: u32 = 30;

/// Which page.
#[derive(Debug, Deserialize, JsonSchema)]
struct TagPath {
    /// The tag of its sites.
    tag: String,
}

/// How it is shown.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StatusQuery {
    /// After how many seconds the browser asks again, at least 30. Never when left out: a page that
    /// changes by itself gets in the way of who reads it slowly.
    refresh: Option<u32>,
}

/// Not in the OpenAPI document, which is about what programs ask.
pub(super) fn routes() -> ApiRouter<Api> {
    ApiRouter::new()
        .route("/status", get(index))
        .route("/status/{tag}", get(of_tag))
}

async fn index(
    State(api): State<Api>,
    known: IfNoneMatch,
    Query(query): Query<StatusQuery>,
) -> Response {
    let answer = api.status.index(&api).await;
    refreshed(respond(&api, &known, answer), &query)
}

async fn of_tag(
    State(api): State<Api>,
    Path(TagPath { tag }): Path<TagPath>,
    known: IfNoneMatch,
    Query(query): Query<StatusQuery>,
) -> Response {
    let answer = api.status.of(&tag, &api).await;
    refreshed(respond(&api, &known, answer), &query)
}

/// For a screen on a wall.
fn refreshed(mut response: Response, query: &StatusQuery) -> Response {
    if let Some(seconds) = query.refresh {
        let seconds = seconds.max(SHORTEST_REFRESH).into();
        response.headers_mut().insert(REFRESH, seconds);
    }
    response
}

fn respond(api: &Api, known: &IfNoneMatch, answer: Option<Result<Answer, Unknown>>) -> Response {
    match answer {
        None => {
            let detail = "There is no such status page: API_STATUS_PAGES says which there are.";
            Problem::new(Kind::NotFound, detail).into_response()
        }
        Some(Ok(answer)) => {
            let fresh = format!("public, max-age={}", FRESH.as_secs());
            let fresh =
                HeaderValue::try_from(fresh).unwrap_or(HeaderValue::from_static("no-cache"));
            let answered = Tagged::unless_known(known, answer.tag, (html(), answer.html));
            ([(CACHE_CONTROL, fresh)], answered).into_response()
        }
        Some(Err(Unknown)) => {
            let page = status::unavailable(api.status.title());
            let again = [(RETRY_AFTER, "60"), (CACHE_CONTROL, "no-store")];
            (StatusCode::SERVICE_UNAVAILABLE, html(), again, page).into_response()
        }
    }
}

/// What goes with every page.
fn html() -> [(HeaderName, HeaderValue); 3] {
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let nothing = HeaderValue::from_static("no-referrer");
    [
        (CONTENT_TYPE, html),
        (CONTENT_SECURITY_POLICY, status::POLICY.clone()),
        (REFERRER_POLICY, nothing),
    ]
}

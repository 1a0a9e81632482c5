//! The routes, one file for each group.

mod badges;
mod certificates;
mod checks;
mod events;
mod import;
mod metrics;
mod outages;
mod overview;
mod probe;
mod prometheus;
mod sites;
mod status;
mod timelines;

use aide::axum::ApiRouter;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse as _, Response};

use crate::dashboard;
use crate::etag::IfNoneMatch;
use crate::problem::{Kind, Problem};
use crate::state::Api;

/// All that is in the OpenAPI document.
pub(crate) fn all() -> ApiRouter<Api> {
    ApiRouter::new()
        .merge(overview::routes())
        .merge(timelines::routes())
        .merge(sites::routes())
        .merge(import::routes())
        .merge(checks::routes())
        .merge(metrics::routes())
        .merge(outages::routes())
        .merge(events::routes())
        .merge(probe::routes())
        .merge(certificates::routes())
        .merge(prometheus::routes())
        .merge(badges::routes())
        .merge(status::routes())
        .fallback(nothing_here)
}

/// What somebody has opened in a browser is for the page to tell.
async fn nothing_here(
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    known: IfNoneMatch,
) -> Response {
    if dashboard::is_for_page(&method, &uri, &headers) {
        return dashboard::page(known).await;
    }
    nothing_at_this_path().into_response()
}

pub(crate) fn nothing_at_this_path() -> Problem {
    let detail = "There is nothing at this path; /api/docs says what there is.";
    Problem::new(Kind::NotFound, detail)
}

/// Which methods there are, the router says in the header `Allow`.
pub(crate) async fn not_that_way() -> Problem {
    let detail = "The header Allow says which methods there are at this path.";
    Problem::new(Kind::MethodNotAllowed, detail)
}

//! The routes, one file for each group.

mod metrics;
mod probe;

use aide::axum::ApiRouter;

use crate::problem::{Kind, Problem};
use crate::state::Api;

/// All that is in the OpenAPI document.
pub(crate) fn all() -> ApiRouter<Api> {
    ApiRouter::new()
        .merge(metrics::routes())
        .merge(probe::routes())
        .fallback(nothing_here)
}

async fn nothing_here() -> Problem {
    Problem::new(
        Kind::NotFound,
        "There is nothing at this path; /api/docs says what there is.",
    )
}

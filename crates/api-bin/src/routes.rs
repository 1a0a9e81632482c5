//! The routes, one file for each group.

mod badges;
mod certificates;
mod checks;
mod events;
mod metrics;
mod outages;
mod overview;
mod probe;
mod prometheus;
mod sites;
mod status;

use aide::axum::ApiRouter;

use crate::problem::{Kind, Problem};
use crate::state::Api;

/// All that is in the OpenAPI document.
pub(crate) fn all() -> ApiRouter<Api> {
    ApiRouter::new()
        .merge(overview::routes())
        .merge(sites::routes())
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

async fn nothing_here() -> Problem {
    let detail = "There is nothing at this path; /api/docs says what there is.";
    Problem::new(Kind::NotFound, detail)
}

/// Which methods there are, the router says in the header `Allow`.
pub(crate) async fn not_that_way() -> Problem {
    let detail = "The header Allow says which methods there are at this path.";
    Problem::new(Kind::MethodNotAllowed, detail)
}

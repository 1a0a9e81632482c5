//! How some sites were, step by step: for a list of which only a part is in sight.

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::Json;
use axum::extract::State;
use chrono::{SubsecRound as _, Utc};
use monitor_core::metric::Timelines;
use schemars::JsonSchema;
use serde::Deserialize;

use super::overview::window;
use crate::auth::Reader;
use crate::extract::Query;
use crate::problem::Problem;
use crate::state::Api;
use crate::wire::{Length, SiteIds, Text};

/// Of which sites, and over which time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TimelinesQuery {
    /// Which sites. Those that are not there are left out of the answer.
    #[schemars(required)]
    site_id: Option<Text<SiteIds>>,
    /// How far to look back, in whole hours up to 90d; 24h when left out.
    window: Option<Text<Length>>,
}

pub(super) fn routes() -> ApiRouter<Api> {
    ApiRouter::new().api_route(
        "/api/v1/timelines",
        get_with(timelines, |operation| {
            operation
                .id("getTimelines")
                .summary("How the checks of some sites ended and how long they took, step by step.")
                .description(
                    "Steps are of an hour for 24h, of four for 7d, and of a day in UTC for 90d; of other \
                     windows, of so many hours that divide a day, or of a day. Every list has an entry \
                     for each step from `from`; the last may be cut short by `to`.",
                )
                .tag("overview")
        }),
    )
}

async fn timelines(
    _: Reader,
    State(api): State<Api>,
    Query(query): Query<TimelinesQuery>,
) -> Result<Json<Timelines>, Problem> {
    let window = window(query.window)?;
    let now = Utc::now().trunc_subsecs(3);
    let sites = query
        .site_id
        .ok_or_else(|| Problem::field("site_id", "is missing: say which sites, such as 1,2,3"))?;
    let sites = sites.0.0;
    Ok(Json(api.metrics.timelines(&sites, window, now).await?))
}

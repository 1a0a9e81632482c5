//! All sites at a glance.

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::extract::State;
use chrono::TimeDelta;
use monitor_core::metric::{FleetOverview, Overview, OverviewWindow};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::answer::JsonText;
use crate::auth::Reader;
use crate::etag::{self, IfNoneMatch, Tagged};
use crate::extract::Query;
use crate::problem::Problem;
use crate::state::Api;
use crate::wire::{Length, Text};

/// Over which time, and of which sites.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OverviewQuery {
    /// How far to look back, in whole hours up to 90d; 24h when left out.
    window: Option<Text<Length>>,
    /// Only sites that have this tag.
    tag: Option<String>,
}

pub(super) fn routes() -> ApiRouter<Api> {
    ApiRouter::new().api_route(
        "/api/v1/overview",
        get_with(overview, |operation| {
            operation
                .id("getOverview")
                .summary("How all sites are, since when and why, and how they were over a window.")
                .description(
                    "The window begins with a whole hour: `from` and `to` say what it is. An answer may be \
                     a second old.",
                )
                .tag("overview")
        }),
    )
}

async fn overview(
    _: Reader,
    State(api): State<Api>,
    known: IfNoneMatch,
    Query(query): Query<OverviewQuery>,
) -> Result<Tagged<JsonText<Overview>>, Problem> {
    let window = window(query.window)?;
    let answer = api.overviews.get(&api.metrics, window).await?;
    let Some(tag) = query.tag else {
        return Ok(Tagged::unless_known(
            &known,
            answer.tag,
            JsonText::new(answer.json),
        ));
    };
    let json = JsonText::of(&of_tag(&answer.overview, &tag));
    let tag = etag::of_bytes(json.bytes());
    Ok(Tagged::unless_known(&known, tag, json))
}

/// A window of whole hours; a day when it is left out.
pub(super) fn window(length: Option<Text<Length>>) -> Result<OverviewWindow, Problem> {
    let length = length.map_or(TimeDelta::hours(24), |length| length.0.0);
    let hours = u16::try_from(length.num_hours()).unwrap_or(u16::MAX);
    if length != TimeDelta::hours(hours.into()) {
        return Err(Problem::field(
            "window",
            "expected whole hours, such as 24h, 7d or 90d",
        ));
    }
    OverviewWindow::hours(hours).map_err(|error| Problem::field("window", error.to_string()))
}

fn of_tag(overview: &Overview, tag: &str) -> Overview {
    let has_tag =
        |site: &&monitor_core::metric::SiteOverview| site.tags.iter().any(|one| one == tag);
    let sites: Vec<_> = overview.sites.iter().filter(has_tag).cloned().collect();
    Overview {
        from: overview.from,
        to: overview.to,
        fleet: FleetOverview::of(&sites),
        sites,
    }
}

//! Badges: what is known of a site in a small picture.

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::extract::State;
use chrono::{TimeDelta, Utc};
use monitor_core::metric::{SiteState, Sites, Subject, Summary};
use monitor_store::sites;
use schemars::JsonSchema;
use serde::Deserialize;

use super::sites::SitePath;
use crate::answer::Svg;
use crate::auth::Reader;
use crate::badge::{Badge, Colour, percent};
use crate::extract::{Path, Query};
use crate::problem::Problem;
use crate::state::Api;
use crate::wire::{Instant, Length, Text, range};

/// Longest label of a badge, in characters.
const MAX_LABEL: usize = 60;

/// About how long, and under what name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BadgeQuery {
    /// How much of the time until now it is about; 24h when left out.
    window: Option<Text<Length>>,
    /// What stands on its left; what it is about when left out.
    label: Option<String>,
}

pub(super) fn routes() -> ApiRouter<Api> {
    ApiRouter::new()
        .api_route(
            "/badge/{id}/uptime.svg",
            get_with(uptime, |operation| {
                operation
                    .id("getUptimeBadge")
                    .summary("The uptime of a site as a badge.")
                    .tag("badges")
            }),
        )
        .api_route(
            "/badge/{id}/response-time.svg",
            get_with(response_time, |operation| {
                operation
                    .id("getResponseTimeBadge")
                    .summary("How long 95 % of the checks of a site took at most, as a badge.")
                    .tag("badges")
            }),
        )
        .api_route(
            "/badge/{id}/status.svg",
            get_with(status, |operation| {
                operation
                    .id("getStatusBadge")
                    .summary("How a site is now, as a badge.")
                    .tag("badges")
            }),
        )
}

async fn uptime(
    _: Reader,
    State(api): State<Api>,
    Path(SitePath { id }): Path<SitePath>,
    Query(query): Query<BadgeQuery>,
) -> Result<Svg, Problem> {
    let (window, summary) = summary(&api, &SitePath { id }, &query).await?;
    let (value, colour) = match summary.uptime {
        Some(uptime) => (percent(uptime), Colour::of_uptime(uptime)),
        None => ("unknown".to_owned(), Colour::Grey),
    };
    badge(query.label, || format!("uptime {window}"), value, colour)
}

async fn response_time(
    _: Reader,
    State(api): State<Api>,
    Path(path): Path<SitePath>,
    Query(query): Query<BadgeQuery>,
) -> Result<Svg, Problem> {
    let (window, summary) = summary(&api, &path, &query).await?;
    let (value, colour) = match summary.durations.total {
        Some(total) => (format!("{:.0} ms", total.p95_us / 1e3), Colour::Blue),
        None => ("unknown".to_owned(), Colour::Grey),
    };
    badge(query.label, || format!("p95 {window}"), value, colour)
}

async fn status(
    _: Reader,
    State(api): State<Api>,
    Path(SitePath { id }): Path<SitePath>,
    Query(query): Query<BadgeQuery>,
) -> Result<Svg, Problem> {
    let now = sites::state(&api.pool, id, Utc::now()).await?;
    let state = now.ok_or_else(Problem::no_such_site)?.state;
    let colour = match state {
        SiteState::Up => Colour::Green,
        SiteState::Degraded => Colour::Yellow,
        SiteState::Down => Colour::Red,
        SiteState::Stale | SiteState::Unknown | SiteState::Disabled => Colour::Grey,
    };
    badge(
        query.label,
        || "status".to_owned(),
        state.to_string(),
        colour,
    )
}

/// What the checks of the window came to, with how long that is.
async fn summary(
    api: &Api,
    SitePath { id }: &SitePath,
    query: &BadgeQuery,
) -> Result<(String, Summary), Problem> {
    let window = query
        .window
        .map_or(TimeDelta::hours(24), |window| window.0.0);
    let range = range(Some(Text(Instant::Ago(window))), None, window, Utc::now())?;
    let subject = Subject::of(Sites::One(*id));
    let summary = api.metrics.summary(&subject, range).await?;
    if summary.coverage.is_none() {
        api.known(*id).await?;
    }
    Ok((Length(window).to_string(), summary))
}

fn badge(
    label: Option<String>,
    default: impl FnOnce() -> String,
    value: String,
    colour: Colour,
) -> Result<Svg, Problem> {
    let label = label.unwrap_or_else(default);
    if label.chars().count() > MAX_LABEL {
        return Err(Problem::field(
            "label",
            format!("has more than {MAX_LABEL} characters"),
        ));
    }
    Ok(Svg(Badge {
        label,
        value,
        colour,
    }
    .to_string()))
}

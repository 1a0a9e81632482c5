//! Single checks of a site, in pages.

use aide::NoApi;
use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::extract::State;
use axum::http::Uri;
use chrono::{SecondsFormat, TimeDelta, Utc};
use monitor_core::Region;
use monitor_core::metric::{CheckFilter, Cursor, PageRequest, StoredCheck};
use schemars::JsonSchema;
use serde::Deserialize;

use super::sites::SitePath;
use crate::auth::Reader;
use crate::extract::{Path, Query};
use crate::page::{Limit, Page};
use crate::problem::Problem;
use crate::state::Api;
use crate::wire::{Direction, Instant, Outcomes, Text, range};

/// Which checks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChecksQuery {
    /// Begin of the range; a day before its end when left out.
    from: Option<Text<Instant>>,
    /// End of the range, which is not part of it; now when left out.
    to: Option<Text<Instant>>,
    /// Only checks that ended so: one or several outcomes, comma separated.
    outcome: Option<Text<Outcomes>>,
    /// Only checks from this region.
    region: Option<Region>,
    /// Which come first.
    #[serde(default)]
    order: Direction,
    /// Most checks of the page.
    #[serde(default)]
    limit: Limit<10_000>,
    /// Begin after this check: what `next` says.
    after: Option<String>,
}

pub(super) fn routes() -> ApiRouter<Api> {
    ApiRouter::new().api_route(
        "/api/v1/sites/{id}/checks",
        get_with(list, |operation| {
            operation
                .id("listChecks")
                .summary("The checks of a site, with all that is stored of each.")
                .tag("checks")
        }),
    )
}

async fn list(
    _: Reader,
    State(api): State<Api>,
    Path(SitePath { id }): Path<SitePath>,
    NoApi(uri): NoApi<Uri>,
    Query(query): Query<ChecksQuery>,
) -> Result<Page<StoredCheck>, Problem> {
    let range = range(query.from, query.to, TimeDelta::hours(24), Utc::now())?;
    let mut page = match query.order {
        Direction::Newest => PageRequest::newest(query.limit.0),
        Direction::Oldest => PageRequest::first(query.limit.0),
    };
    page.after = query.after.as_deref().map(cursor).transpose()?;
    let filter = CheckFilter {
        outcomes: query.outcome.map(|outcomes| outcomes.0.0),
        region: query.region,
    };
    let found = api.metrics.checks(id, range, &filter, &page).await?;
    if found.items.is_empty() {
        api.known(id).await?;
    }
    let next = found.next.as_ref().map(text);
    Ok(Page::new(found.items, &uri, next.as_deref()))
}

fn text(
    Cursor {
        scheduled_at,
        region,
    }: &Cursor,
) -> String {
    let instant = scheduled_at.to_rfc3339_opts(SecondsFormat::Millis, true);
    format!("{instant}/{region}")
}

fn cursor(text: &str) -> Result<Cursor, Problem> {
    let parsed = text.split_once('/').and_then(|(instant, region)| {
        let scheduled_at = instant.parse().ok()?;
        let region = region.parse().ok()?;
        Some(Cursor {
            scheduled_at,
            region,
        })
    });
    parsed.ok_or_else(|| Problem::field("after", "is no place in this list: take what `next` says"))
}

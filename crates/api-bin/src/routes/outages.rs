//! When sites were down.

use aide::NoApi;
use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::extract::State;
use axum::http::Uri;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use monitor_core::metric::{Outage, OutageCursor, OutageRequest, Sites, Subject};
use monitor_core::{Region, SiteId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sites::SitePath;
use crate::auth::Reader;
use crate::extract::{Path, Query};
use crate::page::{Limit, Page};
use crate::problem::Problem;
use crate::state::Api;
use crate::wire::{Instant, Text, range};

/// How long the range is when its begin is not told.
const DEFAULT_LENGTH: TimeDelta = TimeDelta::days(30);

/// Which outages of a site.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OutagesQuery {
    /// Begin of the range; 30 days before its end when left out.
    from: Option<Text<Instant>>,
    /// End of the range, which is not part of it; now when left out.
    to: Option<Text<Instant>>,
    /// Only as seen from this region.
    region: Option<Region>,
    /// Most outages of the page.
    #[serde(default)]
    limit: Limit<1_000>,
    /// Begin after this outage: what `next` says.
    after: Option<String>,
}

/// Which outages of several sites.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FleetOutagesQuery {
    /// Begin of the range; 30 days before its end when left out.
    from: Option<Text<Instant>>,
    /// End of the range, which is not part of it; now when left out.
    to: Option<Text<Instant>>,
    /// Only as seen from this region.
    region: Option<Region>,
    /// Only of sites that have this tag now; of all that were ever checked when left out.
    tag: Option<String>,
    /// Most outages of the page.
    #[serde(default)]
    limit: Limit<1_000>,
    /// Begin after this outage: what `next` says.
    after: Option<String>,
}

/// An outage, and how long it has lasted.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TimedOutage")]
struct Timed {
    #[serde(flatten)]
    outage: Outage,
    /// From its begin to its end, or to now while it lasts, in milliseconds.
    duration_ms: i64,
}

impl Timed {
    fn new(outage: Outage, now: DateTime<Utc>) -> Self {
        let end = outage.ended_at.unwrap_or(now);
        let duration_ms = (end - outage.started_at).num_milliseconds();
        Self {
            outage,
            duration_ms,
        }
    }
}

pub(super) fn routes() -> ApiRouter<Api> {
    ApiRouter::new()
        .api_route(
            "/api/v1/sites/{id}/outages",
            get_with(of_site, |operation| {
                operation
                    .id("listSiteOutages")
                    .summary("When a site was down, in which regions, and why; the latest first.")
                    .tag("metrics")
            }),
        )
        .api_route(
            "/api/v1/outages",
            get_with(of_many, |operation| {
                operation
                    .id("listOutages")
                    .summary("When sites were down, in which regions, and why; the latest first.")
                    .tag("metrics")
            }),
        )
}

async fn of_site(
    _: Reader,
    State(api): State<Api>,
    Path(SitePath { id }): Path<SitePath>,
    NoApi(uri): NoApi<Uri>,
    Query(query): Query<OutagesQuery>,
) -> Result<Page<Timed>, Problem> {
    let page = page(&api, Sites::One(id), &uri, query).await?;
    if page.is_empty() {
        api.known(id).await?;
    }
    Ok(page)
}

async fn of_many(
    _: Reader,
    State(api): State<Api>,
    NoApi(uri): NoApi<Uri>,
    Query(query): Query<FleetOutagesQuery>,
) -> Result<Page<Timed>, Problem> {
    let FleetOutagesQuery {
        from,
        to,
        region,
        tag,
        limit,
        after,
    } = query;
    let sites = tag.map_or(Sites::All, Sites::Tagged);
    page(
        &api,
        sites,
        &uri,
        OutagesQuery {
            from,
            to,
            region,
            limit,
            after,
        },
    )
    .await
}

async fn page(
    api: &Api,
    sites: Sites,
    uri: &Uri,
    query: OutagesQuery,
) -> Result<Page<Timed>, Problem> {
    let now = Utc::now();
    let range = range(query.from, query.to, DEFAULT_LENGTH, now)?;
    let mut request = OutageRequest::first(query.limit.0);
    request.after = query.after.as_deref().map(cursor).transpose()?;
    let subject = Subject {
        sites,
        region: query.region,
    };
    let found = api.metrics.outages(&subject, range, &request).await?;
    let next = found.next.as_ref().map(text);
    let items = found
        .items
        .into_iter()
        .map(|outage| Timed::new(outage, now));
    Ok(Page::new(items.collect(), uri, next.as_deref()))
}

fn text(OutageCursor { started_at, site }: &OutageCursor) -> String {
    let instant = started_at.to_rfc3339_opts(SecondsFormat::Millis, true);
    format!("{instant}/{site}")
}

fn cursor(text: &str) -> Result<OutageCursor, Problem> {
    let parsed = text.split_once('/').and_then(|(instant, site)| {
        let started_at = instant.parse().ok()?;
        let site = SiteId(site.parse().ok()?);
        Some(OutageCursor { started_at, site })
    });
    parsed.ok_or_else(|| Problem::field("after", "is no place in this list: take what `next` says"))
}

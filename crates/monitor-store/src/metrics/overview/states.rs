//! What is monitored, and how it is.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use monitor_core::SiteId;
use monitor_core::metric::{RegionState, SiteOverview, SiteState};
use sqlx::PgConnection;

use super::sum::Sum;
use crate::error::StoreError;
use crate::region_states::select;

/// A site, as far as an overview is concerned.
#[derive(Debug)]
pub(super) struct MonitoredSite {
    pub(super) id: i64,
    name: String,
    url: String,
    tags: Vec<String>,
    enabled: bool,
    interval_ms: i64,
}

/// All that are monitored, by name.
pub(super) async fn sites(connection: &mut PgConnection) -> Result<Vec<MonitoredSite>, StoreError> {
    let mut sites = sqlx::query_as!(
        MonitoredSite,
        r#"-- overview.sites
        SELECT
            id, name, split_part(url, '?', 1) AS "url!", tags, enabled,
            (date_part('epoch', interval) * 1000)::BIGINT AS "interval_ms!"
        FROM sites"#
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing("cannot read sites"))?;
    sites.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(sites)
}

impl MonitoredSite {
    pub(super) fn into_overview(self, regions: Vec<RegionState>, sum: &Sum) -> SiteOverview {
        let mut overview = SiteOverview {
            site: SiteId(self.id),
            name: self.name,
            url: self.url,
            tags: self.tags,
            enabled: self.enabled,
            interval_ms: self.interval_ms.unsigned_abs(),
            state: SiteState::Unknown,
            since: None,
            regions,
            outcomes: sum.outcomes,
            uptime: sum.outcomes.uptime(),
            coverage: sum.outcomes.coverage(),
            p50_us: sum.total.quantile(0.5),
            p95_us: sum.total.quantile(0.95),
        };
        overview.judge();
        overview
    }
}

/// Which state of a site in a region this is, and up to when there are checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) region_id: i16,
    /// The transaction that wrote it.
    transaction: i64,
    pub(super) latest_at: DateTime<Utc>,
}

/// How sites are.
#[derive(Debug, Default)]
pub(super) struct States {
    /// In the regions that check them now, by name of the region.
    pub(super) told: HashMap<i64, Vec<RegionState>>,
    /// In all regions.
    pub(super) versions: HashMap<i64, Vec<Version>>,
}

/// How each monitored site is.
pub(super) async fn states(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<States, StoreError> {
    let rows = select!("overview.states", "ORDER BY regions.name")
        .fetch_all(connection)
        .await
        .map_err(StoreError::doing("cannot read the state of sites"))?;
    let mut states = States::default();
    for row in rows {
        let versions = states.versions.entry(row.site_id).or_default();
        versions.push(Version {
            region_id: row.region_id,
            transaction: row.transaction,
            latest_at: row.scheduled_at,
        });
        if row.is_checked {
            let told = states.told.entry(row.site_id).or_default();
            told.push(row.into_state(now)?);
        }
    }
    Ok(states)
}

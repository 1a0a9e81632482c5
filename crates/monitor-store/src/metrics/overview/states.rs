//! What is monitored, and how it is.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::metric::{RegionState, SiteOverview, SiteState, site_state};
use monitor_core::{Failure, SiteId};
use sqlx::PgConnection;

use super::sum::Sum;
use crate::error::{StoreError, parsed};

/// A site, as far as an overview is concerned.
#[derive(Debug)]
pub(super) struct MonitoredSite {
    pub(super) id: i64,
    name: String,
    url: String,
    tags: Vec<String>,
    enabled: bool,
    interval_ms: i64,
    timeout_ms: i64,
}

/// All that are monitored, by name.
pub(super) async fn sites(connection: &mut PgConnection) -> Result<Vec<MonitoredSite>, StoreError> {
    let mut sites = sqlx::query_as!(
        MonitoredSite,
        r#"-- overview.sites
        SELECT
            id, name, split_part(url, '?', 1) AS "url!", tags, enabled,
            (date_part('epoch', interval) * 1000)::BIGINT AS "interval_ms!",
            (date_part('epoch', timeout) * 1000)::BIGINT AS "timeout_ms!"
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

struct Row {
    site_id: i64,
    region_id: i16,
    transaction: i64,
    is_checked: bool,
    region: String,
    scheduled_at: DateTime<Utc>,
    outcome: String,
    failure_kind: Option<String>,
    failure_phase: Option<String>,
    failure_detail: Option<String>,
    status_code: Option<i16>,
    total_us: Option<i32>,
    last_verdict: Option<String>,
    last_verdict_at: Option<DateTime<Utc>>,
    since: Option<DateTime<Utc>>,
    cert_not_after: Option<DateTime<Utc>>,
}

/// How each monitored site is.
pub(super) async fn states(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    monitored: &[MonitoredSite],
) -> Result<States, StoreError> {
    let rows = sqlx::query_as!(
        Row,
        r#"-- overview.states
        SELECT
            site_id, region_id, site_state.xmin::TEXT::BIGINT AS "transaction!",
            sites.regions = '{}' OR regions.name = ANY (sites.regions) AS "is_checked!",
            regions.name AS region, scheduled_at, outcome::TEXT AS "outcome!",
            failure_kind::TEXT, failure_phase::TEXT, failure_detail, status_code, total_us,
            last_verdict::TEXT, last_verdict_at, since, cert_not_after
        FROM site_state
        JOIN sites ON sites.id = site_id
        JOIN regions ON regions.id = region_id
        ORDER BY regions.name"#
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing("cannot read the state of sites"))?;
    let monitored = monitored.iter().map(|site| (site.id, site));
    let monitored: HashMap<_, _> = monitored.collect();
    let mut states = States::default();
    for row in rows {
        let versions = states.versions.entry(row.site_id).or_default();
        versions.push(Version {
            region_id: row.region_id,
            transaction: row.transaction,
            latest_at: row.scheduled_at,
        });
        let site = monitored.get(&row.site_id);
        if let Some(site) = site.filter(|_| row.is_checked) {
            let told = states.told.entry(row.site_id).or_default();
            told.push(row.into_state(now, site)?);
        }
    }
    Ok(states)
}

impl Row {
    fn into_state(
        self,
        now: DateTime<Utc>,
        site: &MonitoredSite,
    ) -> Result<RegionState, StoreError> {
        let region = self.region.parse();
        let last_verdict = self.last_verdict.as_deref().map(parsed).transpose()?;
        let state = site_state(
            last_verdict.zip(self.last_verdict_at),
            now,
            TimeDelta::milliseconds(site.interval_ms),
            TimeDelta::milliseconds(site.timeout_ms),
        );
        let failure = match &self.failure_kind {
            Some(kind) => Some(Failure {
                kind: parsed(kind)?,
                phase: self.failure_phase.as_deref().map(parsed).transpose()?,
                detail: self.failure_detail.unwrap_or_default(),
            }),
            None => None,
        };
        Ok(RegionState {
            region: region.map_err(|error| StoreError::Value(format!("in regions: {error}")))?,
            state,
            since: match state {
                SiteState::Stale => self.last_verdict_at,
                _ => self.since,
            },
            scheduled_at: self.scheduled_at,
            outcome: parsed(&self.outcome)?,
            failure,
            status_code: self.status_code.and_then(|code| code.try_into().ok()),
            total_us: self.total_us.map(i32::unsigned_abs),
            last_verdict,
            last_verdict_at: self.last_verdict_at,
            cert_not_after: self.cert_not_after,
        })
    }
}

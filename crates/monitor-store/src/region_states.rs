//! How sites are in their regions, as it is read by whoever tells of it.

use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::metric::{RegionState, SiteState, site_state};
use monitor_core::{Outcome, Region};

use crate::error::{StoreError, parsed};
use crate::stored_checks::{failure, micros, region};

/// What is stored of a site in a region, with the name of the region.
pub(crate) struct StateRow {
    pub(crate) site_id: i64,
    pub(crate) region_id: i16,
    /// The transaction that wrote it.
    pub(crate) transaction: i64,
    pub(crate) region: String,
    /// Whether the site is still checked from there.
    pub(crate) is_checked: bool,
    pub(crate) interval_ms: i64,
    pub(crate) timeout_ms: i64,
    pub(crate) scheduled_at: DateTime<Utc>,
    pub(crate) outcome: String,
    pub(crate) failure_kind: Option<String>,
    pub(crate) failure_phase: Option<String>,
    pub(crate) failure_detail: Option<String>,
    pub(crate) status_code: Option<i16>,
    pub(crate) total_us: Option<i32>,
    pub(crate) warnings: Option<Vec<String>>,
    pub(crate) last_verdict: Option<String>,
    pub(crate) last_verdict_at: Option<DateTime<Utc>>,
    pub(crate) since: Option<DateTime<Utc>>,
    pub(crate) cert_not_after: Option<DateTime<Utc>>,
}

/// Selects rows of sites that are monitored: which ones, and in what order, is what follows the name of
/// the query.
macro_rules! select {
    ($name:literal, $which:literal $(, $parameter:expr)*) => {
        sqlx::query_as!(
            $crate::region_states::StateRow,
            "-- " + $name + r#"
        SELECT
            site_id, region_id, site_state.xmin::TEXT::BIGINT AS "transaction!",
            regions.name AS region,
            sites.regions = '{}' OR regions.name = ANY (sites.regions) AS "is_checked!",
            (date_part('epoch', interval) * 1000)::BIGINT AS "interval_ms!",
            (date_part('epoch', timeout) * 1000)::BIGINT AS "timeout_ms!",
            scheduled_at, outcome::TEXT AS "outcome!", failure_kind::TEXT, failure_phase::TEXT,
            failure_detail, status_code, total_us, site_state.warnings::TEXT[],
            last_verdict::TEXT, last_verdict_at, since, cert_not_after
        FROM site_state
        JOIN sites ON sites.id = site_id
        JOIN regions ON regions.id = region_id
        "# + $which,
            $($parameter),*
        )
    };
}
pub(crate) use select;

/// The same, understood.
#[derive(Debug)]
pub(crate) struct ToldState {
    pub(crate) region_id: i16,
    pub(crate) transaction: i64,
    pub(crate) is_checked: bool,
    interval: TimeDelta,
    timeout: TimeDelta,
    /// Since when the last verdict has been what it is.
    verdict_since: Option<DateTime<Utc>>,
    /// What does not depend on when it is asked about.
    state: RegionState,
}

impl StateRow {
    /// How the site is there at `now`.
    pub(crate) fn into_state(self, now: DateTime<Utc>) -> Result<RegionState, StoreError> {
        Ok(self.into_told()?.at(now))
    }

    pub(crate) fn into_told(self) -> Result<ToldState, StoreError> {
        let last_verdict = self.last_verdict.as_deref().map(parsed).transpose()?;
        let outcome = parsed(&self.outcome)?;
        // Of another one it may be that of a check before.
        let is_degraded = outcome == Outcome::Degraded;
        let warnings = self.warnings.filter(|_| is_degraded).unwrap_or_default();
        let warnings = warnings.iter().map(|text| parsed(text));
        let (kind, phase) = (self.failure_kind.as_deref(), self.failure_phase.as_deref());
        Ok(ToldState {
            region_id: self.region_id,
            transaction: self.transaction,
            is_checked: self.is_checked,
            interval: TimeDelta::milliseconds(self.interval_ms),
            timeout: TimeDelta::milliseconds(self.timeout_ms),
            verdict_since: self.since,
            state: RegionState {
                region: region(&self.region)?,
                state: SiteState::Unknown,
                since: None,
                scheduled_at: self.scheduled_at,
                outcome,
                failure: failure(kind, phase, self.failure_detail)?,
                warnings: warnings.collect::<Result<_, _>>()?,
                status_code: self.status_code.and_then(|code| code.try_into().ok()),
                total_us: micros(self.total_us),
                last_verdict,
                last_verdict_at: self.last_verdict_at,
                cert_not_after: self.cert_not_after,
            },
        })
    }
}

impl ToldState {
    pub(crate) fn region(&self) -> &Region {
        &self.state.region
    }

    /// The latest slot that has a result.
    pub(crate) fn latest_at(&self) -> DateTime<Utc> {
        self.state.scheduled_at
    }

    /// How the site is there at `now`.
    pub(crate) fn at(&self, now: DateTime<Utc>) -> RegionState {
        let told = &self.state;
        let verdict = told.last_verdict.zip(told.last_verdict_at);
        let state = site_state(verdict, now, self.interval, self.timeout);
        RegionState {
            state,
            since: match state {
                SiteState::Stale => told.last_verdict_at,
                _ => self.verdict_since,
            },
            ..told.clone()
        }
    }
}

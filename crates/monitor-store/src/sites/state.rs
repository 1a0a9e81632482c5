//! How sites are now, in each region.

use chrono::{DateTime, Utc};
use monitor_core::{Failure, Outcome, Region, SiteId};
use sqlx::PgExecutor;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::error::{StoreError, parsed};
use crate::stored_checks::region;

/// How a site is: the worst of the last verdicts of its regions.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Display, EnumString, IntoStaticStr, VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Condition {
    /// It answers as expected.
    Up,
    /// It answers as expected, but somewhere something calls for attention.
    Degraded,
    /// Somewhere it does not answer as expected.
    Down,
    /// There is no verdict yet.
    Pending,
}

impl Condition {
    /// What these states come to.
    #[must_use]
    pub fn of(states: &[RegionState]) -> Self {
        let verdicts = || states.iter().filter_map(|state| state.last_verdict);
        if verdicts().any(|verdict| verdict == Outcome::Down) {
            Self::Down
        } else if verdicts().any(|verdict| verdict == Outcome::Degraded) {
            Self::Degraded
        } else if verdicts().any(|verdict| verdict == Outcome::Up) {
            Self::Up
        } else {
            Self::Pending
        }
    }
}

/// The latest result of a site in one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionState {
    /// Where it was checked from.
    pub region: Region,
    /// The latest slot that has a result.
    pub scheduled_at: DateTime<Utc>,
    /// How that one ended.
    pub outcome: Outcome,
    /// Why it was not a success.
    pub failure: Option<Failure>,
    /// Status code of its last response.
    pub status_code: Option<u16>,
    /// How long it took, in microseconds.
    pub total_us: Option<u32>,
    /// The latest outcome that tells something about the site: `up`, `degraded` or `down`.
    pub last_verdict: Option<Outcome>,
    /// The slot since which it has been available, or unavailable, without a verdict to the
    /// contrary.
    pub since: Option<DateTime<Utc>>,
    /// When the certificate ends that was seen last.
    pub cert_not_after: Option<DateTime<Utc>>,
}

struct Row {
    site_id: i64,
    region: String,
    scheduled_at: DateTime<Utc>,
    outcome: String,
    failure_kind: Option<String>,
    failure_phase: Option<String>,
    failure_detail: Option<String>,
    status_code: Option<i16>,
    total_us: Option<i32>,
    last_verdict: Option<String>,
    since: Option<DateTime<Utc>>,
    cert_not_after: Option<DateTime<Utc>>,
}

/// How these sites are, site by site in the order of their ids, then by region. What was seen in a
/// region that a site is not checked from any more is left out, and so is a site that is gone.
pub async fn states(
    executor: impl PgExecutor<'_>,
    ids: &[SiteId],
) -> Result<Vec<(SiteId, RegionState)>, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows = sqlx::query_as!(
        Row,
        r#"-- sites.states
        SELECT
            site_id, regions.name AS region, scheduled_at, outcome::TEXT AS "outcome!",
            failure_kind::TEXT, failure_phase::TEXT, failure_detail, status_code, total_us,
            last_verdict::TEXT, since, cert_not_after
        FROM site_state
        JOIN sites ON sites.id = site_id
        JOIN regions ON regions.id = region_id
        WHERE site_id = ANY ($1)
            AND (sites.regions = '{}' OR regions.name = ANY (sites.regions))
        ORDER BY site_id, regions.name"#,
        &ids
    )
    .fetch_all(executor)
    .await
    .map_err(StoreError::doing("cannot read how sites are"))?;
    rows.into_iter().map(Row::into_state).collect()
}

impl Row {
    fn into_state(self) -> Result<(SiteId, RegionState), StoreError> {
        let (kind, phase) = (self.failure_kind.as_deref(), self.failure_phase.as_deref());
        let verdict = self.last_verdict.as_deref();
        let state = RegionState {
            region: region(&self.region)?,
            scheduled_at: self.scheduled_at,
            outcome: parsed(&self.outcome)?,
            failure: failure(kind, phase, self.failure_detail)?,
            status_code: self.status_code.and_then(|code| u16::try_from(code).ok()),
            total_us: self.total_us.and_then(|total| u32::try_from(total).ok()),
            last_verdict: verdict.map(parsed).transpose()?,
            since: self.since,
            cert_not_after: self.cert_not_after,
        };
        Ok((SiteId(self.site_id), state))
    }
}

/// A failure as its columns tell it.
pub(crate) fn failure(
    kind: Option<&str>,
    phase: Option<&str>,
    detail: Option<String>,
) -> Result<Option<Failure>, StoreError> {
    let Some(kind) = kind else {
        return Ok(None);
    };
    Ok(Some(Failure {
        kind: parsed(kind)?,
        phase: phase.map(parsed).transpose()?,
        detail: detail.unwrap_or_default(),
    }))
}

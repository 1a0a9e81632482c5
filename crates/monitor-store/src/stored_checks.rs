//! Rows of checks, as they are read by whoever wants all that they say.

use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::event::{Evidence, Timings};
use monitor_core::metric::StoredCheck;
use monitor_core::{Failure, Region, SiteId, Slot};
use sqlx::types::Json;

use crate::error::{StoreError, parsed};

/// A row with names for ids.
pub(crate) struct CheckRow {
    /// The last 32 bits of the transaction that wrote it.
    pub(crate) xmin: String,
    pub(crate) site_id: i64,
    pub(crate) region: String,
    pub(crate) checker: String,
    pub(crate) scheduled_at: DateTime<Utc>,
    pub(crate) started_after_ms: Option<i32>,
    pub(crate) outcome: String,
    pub(crate) failure_kind: Option<String>,
    pub(crate) failure_phase: Option<String>,
    pub(crate) failure_detail: Option<String>,
    pub(crate) warnings: Option<Vec<String>>,
    pub(crate) suspect: bool,
    pub(crate) status_code: Option<i16>,
    pub(crate) content: String,
    pub(crate) dns_us: Option<i32>,
    pub(crate) connect_us: Option<i32>,
    pub(crate) tls_us: Option<i32>,
    pub(crate) first_byte_us: Option<i32>,
    pub(crate) transfer_us: Option<i32>,
    pub(crate) total_us: Option<i32>,
    pub(crate) attempts: i16,
    pub(crate) evidence: Option<Json<Evidence>>,
}

/// Selects rows of checks: from what, which and in what order is what follows the name of the query.
/// There they are called `result`.
macro_rules! select {
    ($name:literal, $which:literal $(+ $more:literal)*, $($parameter:expr),*) => {
        sqlx::query_as!(
            $crate::stored_checks::CheckRow,
            "-- " + $name + r#"
        SELECT
            result.xmin::TEXT AS "xmin!", result.site_id, regions.name AS region,
            checkers.name AS checker, result.scheduled_at, result.started_after_ms,
            result.outcome::TEXT AS "outcome!", result.failure_kind::TEXT,
            result.failure_phase::TEXT, result.failure_detail, result.warnings::TEXT[],
            result.suspect, result.status_code, result.content::TEXT AS "content!", result.dns_us,
            result.connect_us, result.tls_us, result.first_byte_us, result.transfer_us,
            result.total_us, result.attempts, result.evidence AS "evidence: Json<Evidence>"
        "# + $which $(+ $more)*,
            $($parameter),*
        )
    };
}
pub(crate) use select;

impl CheckRow {
    pub(crate) fn into_check(self) -> Result<StoredCheck, StoreError> {
        let region = region(&self.region)?;
        let slot = Slot {
            site_id: SiteId(self.site_id),
            region,
            scheduled_at: self.scheduled_at,
        };
        let (kind, phase) = (self.failure_kind.as_deref(), self.failure_phase.as_deref());
        let warnings = self.warnings.iter().flatten();
        let started_after = self.started_after_ms.map(i64::from);
        let evidence = self.evidence.map(|Json(evidence)| evidence);
        let (http, tls) = evidence.map_or((None, None), |facts| (facts.http, facts.tls));
        Ok(StoredCheck {
            id: slot.check_id(),
            site_id: slot.site_id,
            region: slot.region,
            checker: self.checker,
            scheduled_at: self.scheduled_at,
            started_at: started_after.map(|ms| self.scheduled_at + TimeDelta::milliseconds(ms)),
            outcome: parsed(&self.outcome)?,
            failure: failure(kind, phase, self.failure_detail)?,
            warnings: warnings
                .map(|text| parsed(text))
                .collect::<Result<_, _>>()?,
            suspect: self.suspect,
            status_code: self.status_code.and_then(|code| u16::try_from(code).ok()),
            content: parsed(&self.content)?,
            timings_us: timings([
                self.dns_us,
                self.connect_us,
                self.tls_us,
                self.first_byte_us,
                self.transfer_us,
                self.total_us,
            ]),
            attempts: u16::try_from(self.attempts).unwrap_or_default(),
            http,
            tls,
        })
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

/// The phases in the order in which they happen, then the total.
pub(crate) fn timings(phases: [Option<i32>; 6]) -> Timings {
    let [dns, connect, tls, first_byte, transfer, total] = phases.map(micros);
    Timings {
        dns,
        connect,
        tls,
        first_byte,
        transfer,
        total,
    }
}

/// Negative ones are none.
pub(crate) fn micros(phase: Option<i32>) -> Option<u32> {
    phase.and_then(|micros| u32::try_from(micros).ok())
}

/// A region by the name that the table has for it.
pub(crate) fn region(name: &str) -> Result<Region, StoreError> {
    name.parse()
        .map_err(|error| StoreError::Value(format!("in regions: {error}")))
}

//! What many checks came to: of each summary, the part that was asked for.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use monitor_core::FailureKind;
use monitor_core::metric::{ContentCounts, OutcomeCounts, PhaseDurations, Summary};
use schemars::JsonSchema;
use serde::Serialize;

use super::Resolved;

/// A metric over a range, as a whole and in buckets of time.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Metric")]
pub(crate) struct Metric<T> {
    /// How long each bucket is; absent when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    /// The time zone whose days are meant.
    time_zone: &'static str,
    /// The range as a whole.
    summary: T,
    /// The same bucket by bucket, in order and without gaps; empty when no steps were asked for.
    series: Vec<T>,
}

impl<T: for<'a> From<&'a Summary>> Metric<T> {
    pub(crate) fn new(asked: &Resolved, summary: &Summary, series: &[Summary]) -> Self {
        Self {
            step: asked.step.map(|step| step.to_string()),
            time_zone: asked.zone.name(),
            summary: summary.into(),
            series: series.iter().map(T::from).collect(),
        }
    }
}

/// How available it was.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Availability {
    /// First instant.
    from: DateTime<Utc>,
    /// First instant after.
    to: DateTime<Utc>,
    /// Share of available checks (up, degraded) among those with a verdict (up, degraded, down), 0 to
    /// 1; null when there were none: then it is unknown.
    uptime: Option<f64>,
    /// Share of checks with a verdict among all that were due; null when none were.
    coverage: Option<f64>,
    /// How many checks ended how.
    outcomes: OutcomeCounts,
    /// Checks that ended while most sites of their checker had begun to fail at once: then its own
    /// network is the likelier cause.
    suspect: u64,
}

impl From<&Summary> for Availability {
    fn from(summary: &Summary) -> Self {
        Self {
            from: summary.from,
            to: summary.to,
            uptime: summary.uptime,
            coverage: summary.coverage,
            outcomes: summary.outcomes,
            suspect: summary.suspect,
        }
    }
}

/// How long available checks took.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ResponseTime {
    /// First instant.
    from: DateTime<Utc>,
    /// First instant after.
    to: DateTime<Utc>,
    /// In microseconds; null of a phase that no check had. Percentiles are within 2.5 %.
    durations: PhaseDurations,
}

impl From<&Summary> for ResponseTime {
    fn from(summary: &Summary) -> Self {
        let durations = summary.durations.clone();
        Self {
            from: summary.from,
            to: summary.to,
            durations,
        }
    }
}

/// Which status codes were seen.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Answers {
    /// First instant.
    from: DateTime<Utc>,
    /// First instant after.
    to: DateTime<Utc>,
    /// How often each was the last one of a check.
    status_codes: BTreeMap<u16, u64>,
}

impl From<&Summary> for Answers {
    fn from(summary: &Summary) -> Self {
        let status_codes = summary.status_codes.clone();
        Self {
            from: summary.from,
            to: summary.to,
            status_codes,
        }
    }
}

/// What became of the content rules.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ContentResults {
    /// First instant.
    from: DateTime<Utc>,
    /// First instant after.
    to: DateTime<Utc>,
    /// How many checks saw what they should; those that are in neither had no rule.
    content: ContentCounts,
}

impl From<&Summary> for ContentResults {
    fn from(summary: &Summary) -> Self {
        Self {
            from: summary.from,
            to: summary.to,
            content: summary.content,
        }
    }
}

/// Why checks were down, missed or error.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Failures {
    /// First instant.
    from: DateTime<Utc>,
    /// First instant after.
    to: DateTime<Utc>,
    /// How often each was the reason.
    failure_kinds: BTreeMap<FailureKind, u64>,
}

impl From<&Summary> for Failures {
    fn from(summary: &Summary) -> Self {
        let failure_kinds = summary.failure_kinds.clone();
        Self {
            from: summary.from,
            to: summary.to,
            failure_kinds,
        }
    }
}

//! What a number of checks came to.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::failure::{FailureKind, Outcome};
use crate::histogram::Histogram;
use crate::site::SiteId;

/// What the checks of a subject came to in `from ≤ t < to`. Counts are exact.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    /// First instant. Earlier than asked for when checks of that time are gone, and only what they
    /// came to by the hour is left: then this is the begin of the hour.
    pub from: DateTime<Utc>,
    /// First instant after. Later than asked for in the same case.
    pub to: DateTime<Utc>,
    /// How the checks ended.
    pub outcomes: OutcomeCounts,
    /// Share of available checks among those with a verdict; `None` when there are none.
    pub uptime: Option<f64>,
    /// Share of checks with a verdict among all that were due; `None` when none were.
    pub coverage: Option<f64>,
    /// Checks that ended while most sites of their checker had begun to fail at once.
    pub suspect: u64,
    /// What became of the content rules.
    pub content: ContentCounts,
    /// Why checks were down, missed or error.
    pub failure_kinds: BTreeMap<FailureKind, u64>,
    /// Which status codes were seen.
    pub status_codes: BTreeMap<u16, u64>,
    /// How long available checks took.
    pub durations: PhaseDurations,
}

/// How many checks ended in each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutcomeCounts {
    /// As expected.
    pub up: u64,
    /// As expected, with a warning.
    pub degraded: u64,
    /// Not as expected.
    pub down: u64,
    /// Not checked.
    pub missed: u64,
    /// Failed for a reason of our own.
    pub error: u64,
}

/// How the checks of a site ended on a day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DailyOutcomes {
    /// The site.
    pub site: SiteId,
    /// The day.
    pub day: NaiveDate,
    /// How they ended.
    pub outcomes: OutcomeCounts,
}

impl OutcomeCounts {
    /// How many ended so.
    #[must_use]
    pub fn of(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Up => self.up,
            Outcome::Degraded => self.degraded,
            Outcome::Down => self.down,
            Outcome::Missed => self.missed,
            Outcome::Error => self.error,
        }
    }

    /// Share of available checks (up, degraded) among those with a verdict (up, degraded, down);
    /// `None`, not 1, when there are none. What `uptime` in SQL says, to the bit.
    #[must_use]
    pub fn uptime(&self) -> Option<f64> {
        share(self.up + self.degraded, self.verdicts())
    }

    /// Share of checks with a verdict among all that were due; `None` when none were.
    #[must_use]
    pub fn coverage(&self) -> Option<f64> {
        let due = self.verdicts() + self.missed + self.error;
        share(self.verdicts(), due)
    }

    fn verdicts(&self) -> u64 {
        self.up + self.degraded + self.down
    }
}

impl std::ops::AddAssign for OutcomeCounts {
    fn add_assign(&mut self, other: Self) {
        self.up += other.up;
        self.degraded += other.degraded;
        self.down += other.down;
        self.missed += other.missed;
        self.error += other.error;
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// What became of the content rules; checks that are in neither had none to check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ContentCounts {
    /// All held.
    pub matched: u64,
    /// One did not.
    pub unmatched: u64,
}

/// How long available checks took, phase by phase; `None` of a phase that none of them had.
///
/// The total is of the whole check, redirects included; the phases are those of the last hop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct PhaseDurations {
    /// Resolving the name.
    pub dns: Option<Statistics>,
    /// Opening the connection.
    pub connect: Option<Statistics>,
    /// The TLS handshake.
    pub tls: Option<Statistics>,
    /// From the request to the first byte of the response.
    pub first_byte: Option<Statistics>,
    /// Reading the body.
    pub transfer: Option<Statistics>,
    /// All of it.
    pub total: Option<Statistics>,
}

/// A number of durations, in microseconds. Percentiles are within 2.5 % of the true ones, and never
/// outside of the shortest and the longest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Statistics {
    /// How many.
    pub count: u64,
    /// The average.
    pub mean_us: f64,
    /// The shortest.
    pub min_us: u32,
    /// The longest.
    pub max_us: u32,
    /// Half of them took no longer.
    pub p50_us: f64,
    /// 90 % of them took no longer.
    pub p90_us: f64,
    /// 95 % of them took no longer.
    pub p95_us: f64,
    /// 99 % of them took no longer.
    pub p99_us: f64,
}

impl Statistics {
    /// Of the durations of the histogram, whose sum and ends are known besides; `None` when there
    /// are none.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "microseconds of a million years"
    )]
    pub fn of(histogram: &Histogram, sum_us: u64, (min, max): (u32, u32)) -> Option<Self> {
        let percentile = |q| {
            let estimate = histogram.quantile(q)?;
            Some(estimate.max(min.into()).min(max.into()))
        };
        Some(Self {
            count: histogram.count(),
            mean_us: sum_us as f64 / histogram.count() as f64,
            min_us: min,
            max_us: max,
            p50_us: percentile(0.5)?,
            p90_us: percentile(0.9)?,
            p95_us: percentile(0.95)?,
            p99_us: percentile(0.99)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_trouble_is_on_neither_side_of_uptime() {
        let counts = OutcomeCounts {
            up: 5,
            degraded: 1,
            down: 2,
            missed: 7,
            error: 1,
        };
        assert_eq!(counts.uptime(), Some(0.75));
        assert_eq!(counts.coverage(), Some(0.5));
    }

    #[test]
    fn without_a_verdict_uptime_is_unknown() {
        let counts = OutcomeCounts {
            missed: 3,
            ..OutcomeCounts::default()
        };
        assert_eq!((counts.uptime(), counts.coverage()), (None, Some(0.0)));
        assert_eq!(OutcomeCounts::default().coverage(), None);
    }

    #[test]
    fn percentiles_are_never_outside_of_what_was_measured() {
        let mut histogram = Histogram::default();
        histogram.record(100_000);
        let statistics = Statistics::of(&histogram, 100_000, (100_000, 100_000)).unwrap();
        let exact = [statistics.mean_us, statistics.p50_us, statistics.p99_us];
        assert!(exact.iter().all(|us| us.to_bits() == 100_000_f64.to_bits()));
        assert_eq!(Statistics::of(&Histogram::default(), 0, (0, 0)), None);
    }
}

//! How the checks of sites ended, step by step.

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::buckets::Buckets;
use super::overview::OverviewWindow;
use super::range::{InvalidRange, TimeRange};
use super::step::Step;
use super::summary::OutcomeCounts;
use crate::site::SiteId;

/// The steps that are shorter than a day, in hours: each divides it.
const PARTS_OF_A_DAY: [i32; 7] = [1, 2, 3, 4, 6, 8, 12];
/// Into how many of these a window is divided at most. With days, there are as many as it has.
const MOST_PARTS: i32 = 48;
const DAY: TimeDelta = TimeDelta::days(1);

/// Some sites over `from ≤ t < to`, in steps. Each list of a site has an entry for each step.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Timelines {
    /// First instant: the begin of a step.
    pub from: DateTime<Utc>,
    /// First instant after. It may cut the last step short.
    pub to: DateTime<Utc>,
    /// How long a step is: 1, 2, 3, 4, 6, 8 or 12 hours, or a day. Days are those of UTC.
    pub step_ms: u64,
    /// Those of the sites that are monitored, by id.
    pub sites: Vec<SiteTimeline>,
}

/// What the checks of a site came to in each step, as columns.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SiteTimeline {
    /// Which.
    #[serde(rename = "site_id")]
    pub site: SiteId,
    /// How many checks ended as expected.
    pub up: Vec<u64>,
    /// As expected, with a warning.
    pub degraded: Vec<u64>,
    /// Not as expected.
    pub down: Vec<u64>,
    /// Not checked.
    pub missed: Vec<u64>,
    /// Failed for a reason of our own.
    pub error: Vec<u64>,
    /// 95 % of the available checks took no longer, within 2.5 %, in whole microseconds; `None` when
    /// there were none.
    pub p95_us: Vec<Option<u32>>,
}

impl SiteTimeline {
    /// Nothing yet.
    #[must_use]
    pub fn of(site: SiteId) -> Self {
        Self {
            site,
            up: Vec::new(),
            degraded: Vec::new(),
            down: Vec::new(),
            missed: Vec::new(),
            error: Vec::new(),
            p95_us: Vec::new(),
        }
    }

    /// Adds what the checks of the next step came to.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "durations are whole numbers of 32 bits, and what is out of range is moved inside"
    )]
    pub fn push(&mut self, outcomes: &OutcomeCounts, p95_us: Option<f64>) {
        self.up.push(outcomes.up);
        self.degraded.push(outcomes.degraded);
        self.down.push(outcomes.down);
        self.missed.push(outcomes.missed);
        self.error.push(outcomes.error);
        self.p95_us.push(p95_us.map(|us| us.round() as u32));
    }
}

/// How a window is divided: how long a step is, and where each begins. The first is the one that the
/// begin of the window is in.
pub fn steps(
    window: OverviewWindow,
    now: DateTime<Utc>,
) -> Result<(TimeDelta, Buckets), InvalidRange> {
    let range = window.up_to(now)?;
    let parts = PARTS_OF_A_DAY.map(|hours| TimeDelta::hours(hours.into()));
    let few = |part: &TimeDelta| *part * MOST_PARTS >= window.length();
    let step = parts.into_iter().find(few).unwrap_or(DAY);
    let past = range.from().timestamp().rem_euclid(step.num_seconds());
    let from = range.from() - TimeDelta::seconds(past);
    let range = TimeRange::new(from, range.to())?;
    // Neither fails: these divide a day, and there are a hundred of them at most.
    let step_of = Step::every(step).map(|step| Buckets::new(range, step));
    let buckets = step_of.ok().and_then(Result::ok);
    Ok((step, buckets.unwrap_or_else(|| Buckets::one(range))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divided(hours: u16, now: &str) -> (i64, Vec<DateTime<Utc>>) {
        let window = OverviewWindow::hours(hours).unwrap();
        let (step, buckets) = steps(window, now.parse().unwrap()).unwrap();
        (step.num_hours(), buckets.borders().to_vec())
    }

    #[test]
    fn a_window_has_few_steps_that_begin_where_days_do() {
        for (hours, step, from, count) in [
            (1, 1, "2026-01-05T09:00:00Z", 2),
            (24, 1, "2026-01-04T10:00:00Z", 25),
            (48, 1, "2026-01-03T10:00:00Z", 49),
            (49, 2, "2026-01-03T08:00:00Z", 26),
            (7 * 24, 4, "2025-12-29T08:00:00Z", 43),
            (30 * 24, 24, "2025-12-06T00:00:00Z", 31),
            (90 * 24, 24, "2025-10-07T00:00:00Z", 91),
        ] {
            let (told, borders) = divided(hours, "2026-01-05T10:40:00Z");
            assert_eq!((told, borders.len() - 1), (step, count), "{hours}");
            assert_eq!(borders[0], from.parse::<DateTime<Utc>>().unwrap());
            let lengths = borders.array_windows().map(|[from, to]| *to - *from);
            let whole = lengths.filter(|length| *length == TimeDelta::hours(step));
            assert_eq!(whole.count(), count - 1, "{hours}");
        }
    }

    #[test]
    fn no_window_has_many_steps_or_misses_a_part_of_itself() {
        let now: DateTime<Utc> = "2026-01-05T23:59:59Z".parse().unwrap();
        for hours in 1..=90 * 24 {
            let (step, borders) = divided(hours, "2026-01-05T23:59:59Z");
            assert!(borders.len() - 1 <= 92, "{hours}");
            let range = OverviewWindow::hours(hours).unwrap().up_to(now).unwrap();
            let early = range.from() - borders[0];
            assert!((0..step).contains(&early.num_hours()), "{hours}");
            assert_eq!(borders[borders.len() - 1], now);
        }
    }

    #[test]
    fn a_window_that_ends_with_a_step_has_no_empty_one() {
        let (_, borders) = divided(24, "2026-01-05T10:00:00Z");
        assert_eq!(borders.len() - 1, 24);
    }
}

//! A range, divided.

use chrono::{DateTime, Utc};

use super::range::TimeRange;
use super::step::Step;

/// Most buckets of one answer.
pub const MAX_BUCKETS: usize = 2_000;

/// The step is too short for the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the step divides the range into more than {MAX_BUCKETS} buckets: choose a longer step or a \
     shorter range"
)]
pub struct TooManyBuckets;

/// A range, divided into buckets without gaps: at least one, and at most [`MAX_BUCKETS`].
///
/// Buckets begin where their step has them begin; the first and the last are cut off by the range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buckets {
    /// Begin of each, and the end of the last; ascending.
    borders: Vec<DateTime<Utc>>,
}

impl Buckets {
    /// The range as one bucket.
    #[must_use]
    pub fn one(range: TimeRange) -> Self {
        Self {
            borders: vec![range.from(), range.to()],
        }
    }

    /// The range in steps.
    pub fn new(range: TimeRange, step: Step) -> Result<Self, TooManyBuckets> {
        let inside = step.borders(range.from());
        let inside = inside.skip_while(|border| *border <= range.from());
        let inside = inside.take_while(|border| *border < range.to());
        let mut borders = vec![range.from()];
        borders.extend(inside.take(MAX_BUCKETS));
        if borders.len() > MAX_BUCKETS {
            return Err(TooManyBuckets);
        }
        borders.push(range.to());
        Ok(Self { borders })
    }

    /// Begin of each bucket, and the end of the last; ascending.
    #[must_use]
    pub fn borders(&self) -> &[DateTime<Utc>] {
        &self.borders
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use chrono_tz::Tz;

    use super::*;

    fn range(from: &str, length: TimeDelta) -> TimeRange {
        let from = from.parse().unwrap();
        TimeRange::new(from, from + length).unwrap()
    }

    fn minutes(buckets: &Buckets) -> Vec<i64> {
        let pairs = buckets.borders().array_windows();
        pairs.map(|[from, to]| (*to - from).num_minutes()).collect()
    }

    #[test]
    fn the_first_and_the_last_are_cut_off() {
        let hour = Step::every(TimeDelta::hours(1)).unwrap();
        let range = range("2026-01-05T10:40:00Z", TimeDelta::minutes(100));
        assert_eq!(minutes(&Buckets::new(range, hour).unwrap()), [20, 60, 20]);
        assert_eq!(minutes(&Buckets::one(range)), [100]);
    }

    #[test]
    fn a_range_that_fits_has_whole_ones() {
        let day = Step::days(1, Tz::Europe__Helsinki).unwrap();
        let range = range("2026-03-28T22:00:00Z", TimeDelta::hours(47));
        let hours = minutes(&Buckets::new(range, day).unwrap());
        assert_eq!(hours, [23 * 60, 24 * 60]);
    }

    #[test]
    fn there_are_never_too_many() {
        let minute = Step::every(TimeDelta::minutes(1)).unwrap();
        let buckets = |minutes| {
            let length = TimeDelta::minutes(minutes);
            Buckets::new(range("2026-01-05T00:00:00Z", length), minute)
        };
        assert_eq!(buckets(2_000).unwrap().borders().len(), MAX_BUCKETS + 1);
        assert_eq!(buckets(2_001), Err(TooManyBuckets));
    }
}

//! The time that a question is about.

use chrono::{DateTime, TimeDelta, Utc};

/// Longest range of one query, in days.
const MAX_DAYS: i64 = 3_660;

/// A half-open range of instants, `from ≤ t < to`, of at most ten years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

/// Why two instants are not a range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRange {
    /// The end is not after the start.
    #[error("the range ends at {to}, which is not after its start {from}")]
    Empty {
        /// Start of the refused range.
        from: DateTime<Utc>,
        /// End of the refused range.
        to: DateTime<Utc>,
    },
    /// More than ten years.
    #[error("the range is longer than {MAX_DAYS} days: ask for a shorter one")]
    TooLong,
}

impl TimeRange {
    /// The range `from ≤ t < to`.
    pub fn new(from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Self, InvalidRange> {
        if to <= from {
            return Err(InvalidRange::Empty { from, to });
        }
        if to - from > TimeDelta::days(MAX_DAYS) {
            return Err(InvalidRange::TooLong);
        }
        Ok(Self { from, to })
    }

    /// First instant of the range.
    #[must_use]
    pub fn from(&self) -> DateTime<Utc> {
        self.from
    }

    /// First instant after the range.
    #[must_use]
    pub fn to(&self) -> DateTime<Utc> {
        self.to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_an_inside_and_a_bound() {
        let start = DateTime::UNIX_EPOCH;
        let range = |days| TimeRange::new(start, start + TimeDelta::days(days));
        assert!(range(1).is_ok() && range(MAX_DAYS).is_ok());
        assert!(matches!(range(0), Err(InvalidRange::Empty { .. })));
        assert!(matches!(range(-1), Err(InvalidRange::Empty { .. })));
        assert_eq!(range(MAX_DAYS + 1), Err(InvalidRange::TooLong));
    }
}

//! What can be asked about stored checks, and the shape of the answers.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::event::{ContentMatch, Timings};
use crate::failure::Outcome;
use crate::region::Region;

/// Longest range of one query, in days.
const MAX_DAYS: i64 = 366;
/// Largest page, in items.
const MAX_LIMIT: u32 = 10_000;

/// A half-open range of instants, `from ≤ t < to`, of at most 366 days.
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
    /// More than 366 days.
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

/// Which verdicts to look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutcomeFilter {
    /// Every check, also missed ones and our own errors.
    #[default]
    All,
    /// `up` and `degraded`.
    Success,
    /// `down`.
    Failure,
}

impl OutcomeFilter {
    /// The outcomes that pass; `None` when all do.
    #[must_use]
    pub fn outcomes(self) -> Option<&'static [Outcome]> {
        match self {
            Self::All => None,
            Self::Success => Some(&[Outcome::Up, Outcome::Degraded]),
            Self::Failure => Some(&[Outcome::Down]),
        }
    }
}

/// Where a page begins: after this item. Items are ordered by instant, then region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Instant of the last item that was seen.
    pub scheduled_at: DateTime<Utc>,
    /// Its region.
    pub region: Region,
}

/// One page of a long answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    limit: u32,
    /// Begin after this item; `None` is the first page.
    pub after: Option<Cursor>,
}

impl PageRequest {
    /// The first page of up to `limit` items (1 to 10 000; what is outside is moved inside).
    #[must_use]
    pub fn first(limit: u32) -> Self {
        Self {
            limit: limit.clamp(1, MAX_LIMIT),
            after: None,
        }
    }

    /// The page after `cursor`, of the same size.
    #[must_use]
    pub fn after(&self, cursor: Cursor) -> Self {
        Self {
            limit: self.limit,
            after: Some(cursor),
        }
    }

    /// Most items that the page may have.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit
    }
}

/// The items of a page, and where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// In order of instant, then region.
    pub items: Vec<T>,
    /// `None` on the last page.
    pub next: Option<Cursor>,
}

/// How long one check took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResponseTime {
    /// The slot.
    pub scheduled_at: DateTime<Utc>,
    /// Where it was checked from.
    pub region: Region,
    /// How it ended.
    pub outcome: Outcome,
    /// Its phases, in microseconds.
    pub timings_us: Timings,
}

/// What status code one check saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusCode {
    /// The slot.
    pub scheduled_at: DateTime<Utc>,
    /// Where it was checked from.
    pub region: Region,
    /// How it ended.
    pub outcome: Outcome,
    /// `None` when no response was seen.
    pub status_code: Option<u16>,
}

/// What became of the content rules of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContentResult {
    /// The slot.
    pub scheduled_at: DateTime<Utc>,
    /// Where it was checked from.
    pub region: Region,
    /// How it ended.
    pub outcome: Outcome,
    /// Matched, unmatched or not checked.
    pub content: ContentMatch,
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

    #[test]
    fn a_page_never_exceeds_its_bounds() {
        assert_eq!(PageRequest::first(0).limit(), 1);
        assert_eq!(PageRequest::first(u32::MAX).limit(), MAX_LIMIT);
    }
}

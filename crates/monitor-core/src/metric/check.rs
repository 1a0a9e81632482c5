//! Questions about single checks.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::event::{ContentMatch, Timings};
use crate::failure::Outcome;
use crate::region::Region;

/// Which verdicts to look at: the usual choices.
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

/// Which checks to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckFilter {
    /// Those that ended in one of these ways; all when `None`.
    pub outcomes: Option<Vec<Outcome>>,
    /// Those of this region; of all when `None`.
    pub region: Option<Region>,
}

impl From<OutcomeFilter> for CheckFilter {
    fn from(filter: OutcomeFilter) -> Self {
        Self {
            outcomes: filter.outcomes().map(<[Outcome]>::to_vec),
            region: None,
        }
    }
}

/// How long one check took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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

//! What a number of checks came to, as one value that more checks can be added to.

use std::collections::BTreeMap;

use monitor_core::event::ContentMatch;
use monitor_core::{FailureKind, Histogram, Outcome};

/// The phases that durations are kept of, in the order of the columns.
pub const PHASES: [&str; 6] = ["dns", "connect", "tls", "first_byte", "transfer", "total"];

/// What the checks of one site in one region came to, over some time.
///
/// Counts and sums are whole numbers, so the order in which checks and parts are added does not
/// matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rollup {
    outcomes: [u64; 5],
    /// Checks that ended while most sites of their checker had begun to fail at once.
    pub suspect: u64,
    /// Checks whose content rules held.
    pub content_matched: u64,
    /// Checks of which a content rule did not hold.
    pub content_unmatched: u64,
    /// How many checks failed for each reason.
    pub failures: BTreeMap<FailureKind, u64>,
    /// How many checks saw each status code.
    pub status_codes: BTreeMap<u16, u64>,
    /// How long the [`PHASES`] of the available checks took.
    pub phases: [Durations; 6],
}

/// How long one phase took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    /// Sum in microseconds; their number is that of the histogram.
    pub sum_us: u64,
    /// The shortest and the longest; `None` when there are none.
    pub range_us: Option<(u32, u32)>,
    /// In microseconds.
    pub histogram: Histogram,
}

impl Rollup {
    /// How many checks ended so.
    #[must_use]
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    /// How many checks ended in each way, in the order of [`Outcome`].
    pub(super) fn outcomes(&self) -> [u64; 5] {
        self.outcomes
    }

    /// How many checks there were.
    #[must_use]
    pub fn checks(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// Adds `count` checks that ended so.
    pub fn add_outcome(&mut self, outcome: Outcome, count: u64) {
        self.outcomes[outcome as usize] += count;
    }

    /// Adds so many checks that ended in each way, in the order of [`Outcome`].
    pub(super) fn add_outcomes(&mut self, counts: [u64; 5]) {
        for (count, more) in self.outcomes.iter_mut().zip(counts) {
            *count += more;
        }
    }

    /// Adds `count` checks whose content was judged so.
    pub fn add_content(&mut self, content: ContentMatch, count: u64) {
        match content {
            ContentMatch::Matched => self.content_matched += count,
            ContentMatch::Unmatched => self.content_unmatched += count,
            ContentMatch::NotChecked => {}
        }
    }

    /// Adds `count` checks that failed for this reason.
    pub fn add_failure(&mut self, kind: FailureKind, count: u64) {
        add(&mut self.failures, kind, count);
    }

    /// Adds `count` checks that saw this status code.
    pub fn add_status_code(&mut self, code: u16, count: u64) {
        add(&mut self.status_codes, code, count);
    }

    /// Adds all that another one has.
    pub fn add(&mut self, other: &Self) {
        self.add_outcomes(other.outcomes);
        self.suspect += other.suspect;
        self.content_matched += other.content_matched;
        self.content_unmatched += other.content_unmatched;
        for (kind, count) in &other.failures {
            self.add_failure(*kind, *count);
        }
        for (code, count) in &other.status_codes {
            self.add_status_code(*code, *count);
        }
        for (phase, more) in self.phases.iter_mut().zip(&other.phases) {
            phase.add(more);
        }
    }

    /// Takes everything out, to be filled anew without new allocations.
    pub fn clear(&mut self) {
        self.outcomes = [0; 5];
        self.suspect = 0;
        self.content_matched = 0;
        self.content_unmatched = 0;
        self.failures.clear();
        self.status_codes.clear();
        for phase in &mut self.phases {
            phase.sum_us = 0;
            phase.range_us = None;
            phase.histogram.clear();
        }
    }
}

impl Durations {
    /// Adds one duration.
    pub fn record(&mut self, micros: u32) {
        self.sum_us += u64::from(micros);
        self.include(micros, micros);
        self.histogram.record(micros);
    }

    /// Adds a duration if there is one.
    pub(super) fn record_some(&mut self, micros: Option<u32>) {
        if let Some(micros) = micros {
            self.record(micros);
        }
    }

    fn add(&mut self, other: &Self) {
        self.sum_us += other.sum_us;
        if let Some((min, max)) = other.range_us {
            self.include(min, max);
        }
        self.histogram.merge(&other.histogram);
    }

    /// Extends the range, so that it includes this one.
    pub(super) fn include(&mut self, min: u32, max: u32) {
        let (known_min, known_max) = self.range_us.unwrap_or((min, max));
        self.range_us = Some((known_min.min(min), known_max.max(max)));
    }
}

fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K, count: u64) {
    if count > 0 {
        *counts.entry(key).or_default() += count;
    }
}

//! How far one partition has come.

use std::collections::VecDeque;
use std::time::Instant;

use super::super::lag::Waiters;

/// One partition that is ours.
pub(super) struct Partition {
    pub(super) epoch: u64,
    pub(super) reading: Reading,
    /// Going to another consumer: nothing more of it is taken.
    pub(super) leaving: bool,
    pub(super) flights: VecDeque<Flight>,
    /// Everything before is stored.
    pub(super) done: i64,
    /// The same, as far as it was stored here: known also after it has to begin anew, from wherever.
    pub(super) stored: Option<i64>,
    /// Whether that is further than where it began.
    pub(super) moved: bool,
    /// The offset that the broker has confirmed to be committed.
    pub(super) committed: Option<i64>,
    /// What the ledger must at least say, as far as is known.
    pub(super) floor: i64,
    /// Offset after the last message in the topic, as last heard.
    pub(super) end: Option<i64>,
    pub(super) waiters: Waiters,
}

/// Whether it is being read.
pub(super) enum Reading {
    Waiting { not_before: Option<Instant> },
    Running,
}

/// What one batch holds of it.
pub(super) struct Flight {
    pub(super) number: u64,
    pub(super) next_offset: i64,
    pub(super) landed: bool,
}

impl Partition {
    pub(super) fn new(epoch: u64, not_before: Option<Instant>) -> Self {
        Self {
            epoch,
            reading: Reading::Waiting { not_before },
            leaving: false,
            flights: VecDeque::new(),
            done: 0,
            stored: None,
            moved: false,
            committed: None,
            floor: 0,
            end: None,
            waiters: Waiters::default(),
        }
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.reading, Reading::Running)
    }

    /// Moves on over what has landed without a gap; whether that was anything.
    pub(super) fn advance(&mut self) -> bool {
        let before = self.done;
        while self.flights.front().is_some_and(|flight| flight.landed) {
            if let Some(flight) = self.flights.pop_front() {
                self.done = flight.next_offset;
            }
        }
        self.waiters.done(self.done);
        let advanced = self.done > before;
        if advanced {
            (self.floor, self.moved) = (self.done, true);
            self.stored = self.stored.max(Some(self.done));
        }
        advanced
    }
}

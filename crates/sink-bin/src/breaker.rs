//! Tells single bad events from trouble that makes the database refuse everything.

use std::time::{Duration, Instant};

/// Over how long refusals are counted.
const WINDOW: Duration = Duration::from_mins(1);
/// Refusals in a window that may be bad luck.
const TOLERATED: u64 = 100;

/// Opens when the database refuses more than a hundred events a minute, and more than one in a
/// hundred. Then the fault is ours or the schema's: to go on would drain the topic into that of the
/// dead letters. It stays open until an event that was refused is accepted.
///
/// Messages that are no events do not count: nothing that is done here makes them any, and to stop
/// for them would let whoever writes junk into the topic stop the monitor.
#[derive(Debug)]
pub(crate) struct Breaker {
    since: Instant,
    events: u64,
    refused: u64,
    open: bool,
}

impl Breaker {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            since: now,
            events: 0,
            refused: 0,
            open: false,
        }
    }

    /// So many events are about to be stored.
    pub(crate) fn saw(&mut self, events: usize, now: Instant) {
        if now.duration_since(self.since) >= WINDOW && !self.open {
            *self = Self::new(now);
        }
        self.events += u64::try_from(events).unwrap_or(u64::MAX);
    }

    /// An event was refused. Whether it may be put aside.
    pub(crate) fn refused(&mut self) -> bool {
        if !self.open {
            self.refused += 1;
            self.open = self.refused > TOLERATED && self.refused * 100 > self.events;
        }
        !self.open
    }

    /// An event that was refused before was accepted.
    pub(crate) fn accepted(&mut self, now: Instant) {
        *self = Self::new(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether all of `refused` among `events` may be put aside.
    fn tolerates(refused: u64, events: usize) -> bool {
        let now = Instant::now();
        let mut breaker = Breaker::new(now);
        breaker.saw(events, now);
        (0..refused).all(|_| breaker.refused())
    }

    #[test]
    fn it_opens_for_many_refusals_that_are_many_of_all() {
        assert!(tolerates(100, 100));
        assert!(!tolerates(101, 100));
        assert!(tolerates(1000, 100_000));
        assert!(!tolerates(1001, 100_000));
    }

    #[test]
    fn it_forgets_after_a_minute_but_stays_open_until_something_is_accepted() {
        let start = Instant::now();
        let mut breaker = Breaker::new(start);
        for minute in 0..5 {
            let now = start + WINDOW * minute;
            breaker.saw(100, now);
            assert!((0..100).all(|_| breaker.refused()));
        }
        assert!(!breaker.refused());
        breaker.saw(100, start + WINDOW * 100);
        assert!(!breaker.refused());
        breaker.accepted(start + WINDOW * 100);
        assert!(breaker.refused());
    }
}

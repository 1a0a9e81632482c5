//! Whether there is so much to store that other work had better wait. Pure.

use std::time::{Duration, Instant};

/// How many events wait to be stored; `None` while that is not known.
pub(crate) type Waiting = Option<i64>;

/// More events than this are a backlog: in ordinary times far fewer wait for their batch.
const LARGE: i64 = 20_000;
/// Longest time that a backlog is an excuse.
const LONGEST: Duration = Duration::from_mins(10);

/// Since when too much waits to be stored.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    since: Option<Instant>,
}

impl Backlog {
    /// Whether it comes first. Not for ever: who never catches up, or never learns whether it has,
    /// has to do the other work as well.
    pub(crate) fn comes_first(&mut self, waiting: Waiting, now: Instant) -> bool {
        if waiting.is_some_and(|events| events <= LARGE) {
            self.since = None;
            return false;
        }
        let since = *self.since.get_or_insert(now);
        now.saturating_duration_since(since) < LONGEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_events_are_no_backlog() {
        let mut backlog = Backlog::default();
        assert!(!backlog.comes_first(Some(0), Instant::now()));
        assert!(!backlog.comes_first(Some(LARGE), Instant::now()));
    }

    #[test]
    fn a_backlog_comes_first_until_it_has_lasted_too_long_or_is_gone() {
        for much in [Some(LARGE + 1), None] {
            let (mut backlog, start) = (Backlog::default(), Instant::now());
            assert!(backlog.comes_first(much, start));
            assert!(backlog.comes_first(much, start + LONGEST / 2));
            assert!(!backlog.comes_first(much, start + LONGEST));
            assert!(!backlog.comes_first(Some(0), start + LONGEST));
            assert!(backlog.comes_first(much, start + 2 * LONGEST));
        }
    }
}

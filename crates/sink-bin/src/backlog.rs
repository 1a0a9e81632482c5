//! Whether there is so much to store that other work had better wait. Pure.

use std::time::{Duration, Instant};

use monitor_kafka::Lag;

/// More events than this are a backlog: in ordinary times far fewer wait for their batch.
const LARGE: i64 = 20_000;
/// Longest time that a backlog is an excuse.
const LONGEST: Duration = Duration::from_mins(10);

/// What waits to be stored.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    since: Option<Instant>,
}

impl Backlog {
    /// Whether it comes first. Not for ever: who never catches up has to do the other work as well.
    pub(crate) fn comes_first(&mut self, lags: &[Lag], now: Instant) -> bool {
        let waiting: i64 = lags.iter().filter_map(|lag| lag.events).sum();
        if waiting <= LARGE {
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

    fn lags(events: i64) -> [Lag; 2] {
        [(0, Some(events)), (1, None)].map(|(partition, events)| Lag {
            partition,
            events,
            since: None,
        })
    }

    #[test]
    fn a_few_events_are_no_backlog() {
        let mut backlog = Backlog::default();
        assert!(!backlog.comes_first(&[], Instant::now()));
        assert!(!backlog.comes_first(&lags(LARGE), Instant::now()));
    }

    #[test]
    fn a_backlog_comes_first_until_it_has_lasted_too_long_or_is_gone() {
        let (mut backlog, start) = (Backlog::default(), Instant::now());
        assert!(backlog.comes_first(&lags(LARGE + 1), start));
        assert!(backlog.comes_first(&lags(LARGE + 1), start + LONGEST / 2));
        assert!(!backlog.comes_first(&lags(LARGE + 1), start + LONGEST));
        assert!(!backlog.comes_first(&lags(0), start + LONGEST));
        assert!(backlog.comes_first(&lags(LARGE + 1), start + 2 * LONGEST));
    }
}

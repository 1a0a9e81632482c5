//! Which failures of a long row are worth a line in the log.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// How long a failure that was logged is not logged again.
const QUIET_TIME: Duration = Duration::from_mins(5);

/// How many failures are told apart. Beyond that, what differs is noise such as a port number.
const DISTINCT: usize = 16;

/// When each failure was logged.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    logged: HashMap<String, Instant>,
    last: Option<Instant>,
}

impl Repeats {
    /// Whether to log this failure now: when it is new, or was not logged for some minutes.
    pub(super) fn is_due(&mut self, failure: &str, now: Instant) -> bool {
        let since = match self.logged.get(failure) {
            Some(logged) => Some(*logged),
            None if self.logged.len() < DISTINCT => None,
            None => self.last,
        };
        if since.is_some_and(|since| now.duration_since(since) < QUIET_TIME) {
            return false;
        }
        if self.logged.len() < DISTINCT || self.logged.contains_key(failure) {
            self.logged.insert(failure.to_owned(), now);
        }
        self.last = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many lines a night of eight hours is, with one failure every five seconds.
    fn lines_of_a_night(failure: impl Fn(u32) -> String) -> usize {
        let (mut repeats, start) = (Repeats::default(), Instant::now());
        let due = |number: &u32| {
            repeats.is_due(&failure(*number), start + Duration::from_secs(5) * *number)
        };
        (0..8 * 720).filter(due).count()
    }

    #[test]
    fn every_failure_is_logged_when_it_is_new_and_seldom_after() {
        assert_eq!(lines_of_a_night(|_| "refused".into()), 96);
        assert_eq!(
            lines_of_a_night(|number| format!("failure {}", number % 2)),
            2 * 96
        );
    }

    #[test]
    fn failures_that_never_repeat_do_not_fill_the_log() {
        let lines = lines_of_a_night(|number| format!("connection from port {number} refused"));
        assert!((90..130).contains(&lines), "{lines}");
    }
}

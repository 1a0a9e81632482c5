//! The line that shows what is being stored.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use local_stack::Postgres;

use crate::console;

const OUTCOMES: [&str; 5] = ["up", "degraded", "down", "missed", "error"];
const ON_A_TERMINAL: Duration = Duration::from_secs(1);
const ELSEWHERE: Duration = Duration::from_secs(5);
/// Looking costs at most a twentieth of the time.
const REST: u32 = 20;
/// Lines of `OUTCOME COUNT`, then lines of `!FAILURE KIND`, the latest first.
const QUERY: &str = "\
    SELECT outcome::text || ' ' || count(*) FROM checks GROUP BY outcome \
    UNION ALL \
    SELECT '!' || failure_kind FROM ( \
        SELECT failure_kind::text FROM checks \
        WHERE failure_kind IS NOT NULL AND scheduled_at > now() - interval '1 minute' \
        GROUP BY failure_kind ORDER BY max(scheduled_at) DESC LIMIT 4) AS latest";

/// Draws the line now and then.
#[derive(Debug, Default)]
pub(super) struct Live {
    next: Option<Instant>,
    last: Option<(Instant, u64)>,
}

impl Live {
    /// Looks and draws, if it is time for that. A database that does not answer is shown, too.
    pub(super) fn show(&mut self, postgres: &Postgres) {
        let now = Instant::now();
        if self.next.is_some_and(|next| now < next) {
            return;
        }
        let answer = postgres.query("monitor", QUERY);
        let pause = if console::is_terminal() {
            ON_A_TERMINAL
        } else {
            ELSEWHERE
        };
        self.next = Some(now + pause.max(now.elapsed() * REST));
        match answer {
            Ok(answer) => console::redraw(&self.line(&Stored::parse(&answer), now)),
            Err(error) => console::redraw(&format!("cannot look into the database: {error:#}")),
        }
    }

    fn line(&mut self, stored: &Stored, now: Instant) -> String {
        let total = stored.total();
        let rate = self.last.map_or(0.0, |(then, before)| {
            let new = u32::try_from(total.saturating_sub(before)).unwrap_or(u32::MAX);
            f64::from(new) / now.duration_since(then).as_secs_f64()
        });
        self.last = Some((now, total));
        stored.render(rate)
    }
}

/// What the table of checks holds.
#[derive(Debug, Default, PartialEq, Eq)]
struct Stored {
    counts: BTreeMap<String, u64>,
    failures: Vec<String>,
}

impl Stored {
    fn parse(answer: &str) -> Self {
        let mut stored = Self::default();
        for line in answer.lines() {
            if let Some(kind) = line.strip_prefix('!') {
                stored.failures.push(kind.to_owned());
            } else if let Some((outcome, count)) = line.split_once(' ')
                && let Ok(count) = count.parse()
            {
                stored.counts.insert(outcome.to_owned(), count);
            }
        }
        stored
    }

    fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    fn render(&self, rate: f64) -> String {
        let counts = OUTCOMES.map(|outcome| {
            let count = self.counts.get(outcome).copied().unwrap_or(0);
            format!("{outcome} {count}")
        });
        let lately = match self.failures.as_slice() {
            [] => String::new(),
            kinds => format!(" · lately {}", kinds.join(", ")),
        };
        format!(
            "{} checks stored, {rate:.1}/s · {}{lately}",
            self.total(),
            counts.join(" · ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_database_says_becomes_a_line() {
        let stored = Stored::parse("up 120\ndown 7\n!cert_expired\n!unexpected_status\n");
        assert_eq!(
            stored.render(4.25),
            "127 checks stored, 4.2/s · up 120 · degraded 0 · down 7 · missed 0 · error 0 \
             · lately cert_expired, unexpected_status"
        );
    }

    #[test]
    fn an_empty_table_is_a_line_too() {
        assert_eq!(Stored::parse("").total(), 0);
    }
}

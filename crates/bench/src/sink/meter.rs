//! Two looks at somebody who fills a table, and what happened in between.

use std::process;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;

use crate::cpu;
use crate::stack::Stack;
use crate::window;

/// What was measured.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Pace {
    pub(crate) rows: u64,
    pub(crate) rows_per_second: f64,
    /// CPU microseconds of the client for each row.
    pub(crate) client_micros: f64,
    /// The same of PostgreSQL, all its processes together.
    pub(crate) postgres_micros: f64,
    /// How much of the machine others kept busy, 0 to 1.
    pub(crate) foreign: f64,
}

/// One look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    at: Instant,
    client: Duration,
    postgres: Duration,
    ours: Duration,
    machine: Duration,
    pub(crate) rows: u64,
}

impl Look {
    /// Looks at the process `client` (0 for none of interest) and PostgreSQL; the rows are told by
    /// `rows` a moment later, so that to count them does not count.
    pub(crate) fn now(
        stack: &Stack,
        client: u32,
        rows: impl FnOnce() -> Result<u64>,
    ) -> Result<Self> {
        let mut look = Self {
            at: Instant::now(),
            client: cpu::of_tree(client)?,
            postgres: cpu::of_tree(stack.postgres_id())?,
            ours: cpu::of_tree(process::id())?,
            machine: cpu::of_machine()?,
            rows: 0,
        };
        look.rows = rows()?;
        Ok(look)
    }

    /// What happened until `later`.
    pub(crate) fn until(&self, later: &Self) -> Result<Pace> {
        let rows = later.rows.saturating_sub(self.rows);
        ensure!(rows > 0, "no row was stored in the meantime");
        let count = f64::from(u32::try_from(rows)?);
        let passed = later.at - self.at;
        let used = |of: fn(&Self) -> Duration| of(later).saturating_sub(of(self));
        let micros = |time: Duration| 1e6 * time.as_secs_f64() / count;
        Ok(Pace {
            rows,
            rows_per_second: count / passed.as_secs_f64(),
            client_micros: micros(used(|look| look.client)),
            postgres_micros: micros(used(|look| look.postgres)),
            foreign: window::foreign(used(|look| look.ours), used(|look| look.machine), passed),
        })
    }
}

/// How many rows a table has, by the server's word.
pub(crate) fn count(stack: &Stack, database: &str, table: &str) -> Result<u64> {
    let sql = format!("SELECT count(*) FROM {table}");
    let text = stack.postgres().query(database, &sql)?;
    text.parse()
        .with_context(|| format!("cannot understand {text:?}"))
}

/// Lets everybody begin alike: nothing waits to be written to the disk.
pub(crate) fn settle(stack: &Stack) -> Result<()> {
    stack.postgres().query("postgres", "CHECKPOINT").map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(at: Instant, [client, postgres, ours, machine]: [u64; 4], rows: u64) -> Look {
        let [client, postgres, ours, machine] =
            [client, postgres, ours, machine].map(Duration::from_millis);
        Look {
            at,
            client,
            postgres,
            ours,
            machine,
            rows,
        }
    }

    #[test]
    fn time_is_shared_among_the_rows_that_came_in() {
        let start = Instant::now();
        let before = look(start, [100, 200, 500, 2_000], 1_000);
        let end = start + Duration::from_secs(2);
        let after = look(end, [300, 800, 1_500, 3_000], 201_000);
        let pace = before.until(&after).unwrap();
        let close = |left: f64, right: f64| (left - right).abs() < 1e-9;
        assert!(close(pace.rows_per_second, 100_000.0), "{pace:?}");
        assert!(close(pace.client_micros, 1.0), "{pace:?}");
        assert!(close(pace.postgres_micros, 3.0), "{pace:?}");
    }

    #[test]
    fn nothing_can_be_said_when_nothing_came_in() {
        let one = look(Instant::now(), [0; 4], 5);
        assert!(one.until(&one).is_err());
    }
}

//! How long something took, again and again.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::cpu::Meter;

/// One way of asking one kind of question in one round.
#[derive(Debug, Serialize)]
pub(crate) struct Sample {
    round: u32,
    question: &'static str,
    way: &'static str,
    p50_ms: f64,
    p99_ms: f64,
    /// CPU microseconds of each, of this program and of the database.
    program_micros: f64,
    database_micros: f64,
}

#[derive(Debug, Default)]
pub(crate) struct Times {
    times: Vec<Duration>,
    used: [u64; 2],
}

impl Times {
    /// Does it once more.
    pub(crate) async fn measure<T>(
        &mut self,
        meter: &Meter,
        once: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let before = meter.now()?;
        let started = Instant::now();
        let got = once.await?;
        self.times.push(started.elapsed());
        let after = meter.now()?;
        for (used, (after, before)) in self.used.iter_mut().zip(after.into_iter().zip(before)) {
            *used += after.saturating_sub(before);
        }
        Ok(got)
    }

    pub(crate) fn sample(
        mut self,
        round: u32,
        question: &'static str,
        way: &'static str,
    ) -> Option<Sample> {
        self.times.sort_unstable();
        let count = u32::try_from(self.times.len()).ok()?;
        let micros = |used: u64| {
            let used = Duration::from_nanos(used).as_secs_f64();
            1e6 * used / f64::from(count)
        };
        let [program, database] = self.used;
        Some(Sample {
            round,
            question,
            way,
            p50_ms: self.quantile(50)?,
            p99_ms: self.quantile(99)?,
            program_micros: micros(program),
            database_micros: micros(database),
        })
    }

    /// The time that so many percent of all do not exceed.
    fn quantile(&self, percent: usize) -> Option<f64> {
        let rank = (self.times.len() * percent).div_ceil(100);
        let time = self.times.get(rank.checked_sub(1)?)?;
        Some(1e3 * time.as_secs_f64())
    }
}

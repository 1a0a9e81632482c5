//! How long something took, again and again.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

/// One way of asking one kind of question in one round.
#[derive(Debug, Serialize)]
pub(crate) struct Sample {
    round: u32,
    question: &'static str,
    way: &'static str,
    p50_ms: f64,
    p99_ms: f64,
}

#[derive(Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// Does it once more.
    pub(crate) async fn measure<T>(
        &mut self,
        once: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let started = Instant::now();
        let got = once.await?;
        self.0.push(started.elapsed());
        Ok(got)
    }

    pub(crate) fn sample(
        mut self,
        round: u32,
        question: &'static str,
        way: &'static str,
    ) -> Option<Sample> {
        self.0.sort_unstable();
        Some(Sample {
            round,
            question,
            way,
            p50_ms: self.quantile(50)?,
            p99_ms: self.quantile(99)?,
        })
    }

    /// The time that so many percent of all do not exceed.
    fn quantile(&self, percent: usize) -> Option<f64> {
        let rank = (self.0.len() * percent).div_ceil(100);
        let time = self.0.get(rank.checked_sub(1)?)?;
        Some(1e3 * time.as_secs_f64())
    }
}

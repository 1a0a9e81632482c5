//! Results that had to be dropped: counted, and told without a flood of lines.

use std::time::{Duration, Instant};

use metrics::counter;

/// Time between two lines, and for which a drop is news.
const PAUSE: Duration = Duration::from_mins(1);

/// Counts what is dropped.
#[derive(Debug, Default)]
pub(crate) struct Drops {
    total: u64,
    dropped_at: Option<Instant>,
    told_at: Option<Instant>,
    untold: u64,
}

impl Drops {
    /// How many results were dropped so far, if some were just now.
    pub(crate) fn lately(&self) -> Option<u64> {
        let lately = self.dropped_at?.elapsed() < PAUSE;
        lately.then_some(self.total)
    }

    /// So many results were dropped, and why.
    pub(crate) fn note(&mut self, reason: &'static str, dropped: u64) {
        if dropped == 0 {
            return;
        }
        counter!("checker_spool_dropped_total", "reason" => reason).increment(dropped);
        self.untold += dropped;
        self.total += dropped;
        self.dropped_at = Some(Instant::now());
        if self
            .told_at
            .is_none_or(|told_at| told_at.elapsed() >= PAUSE)
        {
            let results = std::mem::take(&mut self.untold);
            tracing::error!(
                results,
                reason,
                "dropped the oldest results: their slots have no rows"
            );
            self.told_at = Some(Instant::now());
        }
    }
}

//! Making one check: from its slot to its result.

use chrono::Utc;
use metrics::{Histogram, histogram};
use monitor_core::CheckEvent;
use monitor_probe::Prober;

use crate::schedule::Due;

/// What every check is made with.
pub(crate) struct Maker {
    prober: Prober,
    checker: String,
    lateness: Histogram,
}

impl Maker {
    /// `checker` is the name in the results.
    pub(crate) fn new(prober: Prober, checker: String) -> Self {
        Self {
            prober,
            checker,
            lateness: histogram!("checker_start_lateness_seconds"),
        }
    }

    /// The name in the results.
    pub(crate) fn checker(&self) -> &str {
        &self.checker
    }

    /// Checks now, and tells how late that is.
    pub(crate) async fn check(&self, Due { slot, target }: Due) -> Box<CheckEvent> {
        let started_at = Utc::now();
        let lateness = (started_at - slot.scheduled_at).to_std();
        self.lateness
            .record(lateness.unwrap_or_default().as_secs_f64());
        let checking = self
            .prober
            .check_url(target.url(), &target.rules, started_at);
        let report = checking.await;
        // On the heap: it is handed on several times.
        Box::new(report.into_event(&slot, &self.checker, started_at))
    }
}

//! What is counted with every check. Looked up by name only once: that takes longer than counting.

use metrics::{Counter, Gauge, counter, gauge};
use monitor_core::Outcome;
use strum::VariantArray as _;

/// Handles to the metrics of checks.
pub(crate) struct Meters {
    /// How many checks run.
    pub(crate) in_flight: Gauge,
    /// How many wait for room.
    pub(crate) backlog: Gauge,
    /// By outcome, in the order of its variants.
    checks: Vec<Counter>,
}

impl Meters {
    /// Handles to the metrics of this process.
    pub(crate) fn register() -> Self {
        let of_outcome = |outcome: &Outcome| {
            let outcome: &'static str = outcome.into();
            counter!("checker_checks_total", "outcome" => outcome)
        };
        Self {
            in_flight: gauge!("checker_in_flight"),
            backlog: gauge!("checker_backlog"),
            checks: Outcome::VARIANTS.iter().map(of_outcome).collect(),
        }
    }

    /// Counts a slot that has ended.
    pub(crate) fn count_check(&self, outcome: Outcome) {
        self.checks[outcome as usize].increment(1);
    }
}

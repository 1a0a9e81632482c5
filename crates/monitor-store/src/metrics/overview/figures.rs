//! What an overview says of the checks of a site.

use monitor_core::metric::OutcomeCounts;

use super::sum::Sum;

/// How they ended, and how long the available ones took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub(super) outcomes: OutcomeCounts,
    pub(super) p50_us: Option<f64>,
    pub(super) p95_us: Option<f64>,
}

impl From<&Sum> for Figures {
    fn from(sum: &Sum) -> Self {
        Self {
            outcomes: sum.outcomes,
            p50_us: sum.total.quantile(0.5),
            p95_us: sum.total.quantile(0.95),
        }
    }
}

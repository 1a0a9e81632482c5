//! What the checks of a site came to, as far as an overview is concerned.

use monitor_core::Histogram;
use monitor_core::metric::OutcomeCounts;

use crate::error::StoreError;

#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    pub(super) outcomes: OutcomeCounts,
    /// How long available checks took.
    pub(super) total: Histogram,
}

/// The same in little room.
#[derive(Debug, Default)]
pub(super) struct Packed {
    outcomes: OutcomeCounts,
    total: Vec<u8>,
}

impl Sum {
    pub(super) fn pack(&self) -> Packed {
        let mut total = Vec::new();
        self.total.pack(&mut total);
        total.shrink_to_fit();
        Packed {
            outcomes: self.outcomes,
            total,
        }
    }

    /// Adds a histogram as it is stored.
    pub(super) fn merge(&mut self, histogram: &[u8]) -> Result<(), StoreError> {
        let merged = self.total.merge_packed(histogram);
        merged.map_err(|error| StoreError::Value(format!("in a rollup: {error}")))
    }
}

impl Packed {
    pub(super) fn add_to(&self, sum: &mut Sum) -> Result<(), StoreError> {
        sum.outcomes += self.outcomes;
        sum.merge(&self.total)
    }
}

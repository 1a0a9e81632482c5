//! The checks that are running, and whose slots they are for.

use std::collections::HashMap;
use std::future::Future;

use monitor_core::{CheckEvent, Slot};
use tokio::task::{Id, JoinSet};

/// Running checks. A slot that was started here comes out exactly once: with its result, or as one
/// that has none.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    checks: JoinSet<CheckEvent>,
    slots: HashMap<Id, Slot>,
}

impl InFlight {
    /// Starts the check of `slot`.
    pub(crate) fn start(
        &mut self,
        slot: Slot,
        check: impl Future<Output = CheckEvent> + Send + 'static,
    ) {
        let id = self.checks.spawn(check).id();
        self.slots.insert(id, slot);
    }

    /// How many checks run.
    pub(crate) fn len(&self) -> usize {
        self.checks.len()
    }

    /// The result of the next check to end, or the slot of one that panicked; `None` when no check
    /// runs.
    pub(crate) async fn next(&mut self) -> Option<Result<CheckEvent, Slot>> {
        loop {
            match self.checks.join_next_with_id().await? {
                Ok((id, result)) => {
                    self.slots.remove(&id);
                    return Some(Ok(result));
                }
                Err(panicked) => {
                    if let Some(slot) = self.slots.remove(&panicked.id()) {
                        return Some(Err(slot));
                    }
                }
            }
        }
    }

    /// Ends every check that still runs, and returns their slots.
    pub(crate) async fn abort(&mut self) -> Vec<Slot> {
        self.checks.shutdown().await;
        self.slots.drain().map(|(_, slot)| slot).collect()
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use monitor_core::{Failure, FailureKind, SiteId};

    use super::*;

    fn slot(id: i64) -> Slot {
        Slot {
            site_id: SiteId(id),
            region: "local".parse().unwrap(),
            scheduled_at: DateTime::UNIX_EPOCH,
        }
    }

    #[tokio::test]
    async fn every_slot_comes_out_once_whatever_becomes_of_its_check() {
        let mut in_flight = InFlight::default();
        let failure = Failure::new(FailureKind::Overloaded, None, "");
        let result = CheckEvent::missed(&slot(1), "checker", failure);
        in_flight.start(slot(1), std::future::ready(result.clone()));
        assert_eq!(in_flight.next().await, Some(Ok(result)));

        in_flight.start(slot(2), async { panic!("a bug") });
        assert_eq!(in_flight.next().await, Some(Err(slot(2))));

        in_flight.start(slot(3), std::future::pending());
        assert_eq!(in_flight.abort().await, [slot(3)]);
        assert_eq!((in_flight.len(), in_flight.next().await), (0, None));
    }
}

//! The checks that are running, and whose slots they are for.

use std::collections::HashMap;
use std::future::Future;

use chrono::{DateTime, Utc};
use monitor_core::{CheckEvent, Slot};
use tokio::task::{Id, JoinError, JoinSet};

/// Running checks. A slot that was started here comes out exactly once: with its result, or as one
/// that has none.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    checks: JoinSet<Box<CheckEvent>>,
    started: HashMap<Id, Started>,
}

/// A check that was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Started {
    /// Its slot.
    pub(crate) slot: Slot,
    /// The host that it asks.
    pub(crate) host: String,
}

/// A check that has ended: its result, which one that panicked does not have.
pub(crate) type Ended = (Started, Option<Box<CheckEvent>>);

impl InFlight {
    /// Starts a check.
    pub(crate) fn start(
        &mut self,
        started: Started,
        check: impl Future<Output = Box<CheckEvent>> + Send + 'static,
    ) {
        let id = self.checks.spawn(check).id();
        self.started.insert(id, started);
    }

    /// How many checks run.
    pub(crate) fn len(&self) -> usize {
        self.checks.len()
    }

    /// The earliest slot whose check runs.
    pub(crate) fn earliest(&self) -> Option<DateTime<Utc>> {
        let slots = self.started.values();
        slots.map(|started| started.slot.scheduled_at).min()
    }

    /// The next check to end; `None` when none runs.
    pub(crate) async fn next(&mut self) -> Option<Ended> {
        loop {
            let joined = self.checks.join_next_with_id().await?;
            if let Some(ended) = self.ended(joined) {
                return Some(ended);
            }
        }
    }

    /// A check that has ended already, if one has.
    pub(crate) fn try_next(&mut self) -> Option<Ended> {
        loop {
            let joined = self.checks.try_join_next_with_id()?;
            if let Some(ended) = self.ended(joined) {
                return Some(ended);
            }
        }
    }

    fn ended(&mut self, joined: Result<(Id, Box<CheckEvent>), JoinError>) -> Option<Ended> {
        let (id, result) = match joined {
            Ok((id, result)) => (id, Some(result)),
            Err(panicked) => (panicked.id(), None),
        };
        let started = self.started.remove(&id)?;
        Some((started, result))
    }

    /// Ends every check that still runs, and returns their slots.
    pub(crate) async fn abort(&mut self) -> Vec<Slot> {
        self.checks.shutdown().await;
        self.started
            .drain()
            .map(|(_, started)| started.slot)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use monitor_core::{Failure, FailureKind, SiteId};

    use super::*;

    fn started(id: i64) -> Started {
        Started {
            slot: Slot {
                site_id: SiteId(id),
                region: "local".parse().unwrap(),
                scheduled_at: DateTime::UNIX_EPOCH,
            },
            host: "a".to_owned(),
        }
    }

    #[tokio::test]
    async fn every_slot_comes_out_once_whatever_becomes_of_its_check() {
        let mut in_flight = InFlight::default();
        let failure = Failure::new(FailureKind::Overloaded, None, "");
        let result = Box::new(CheckEvent::missed(&started(1).slot, "checker", failure));
        in_flight.start(started(1), std::future::ready(result.clone()));
        assert_eq!(in_flight.next().await, Some((started(1), Some(result))));

        in_flight.start(started(2), async { panic!("a bug") });
        assert_eq!(in_flight.next().await, Some((started(2), None)));

        in_flight.start(started(3), std::future::pending());
        assert_eq!(in_flight.abort().await, [started(3).slot]);
        assert_eq!((in_flight.len(), in_flight.next().await), (0, None));
    }
}

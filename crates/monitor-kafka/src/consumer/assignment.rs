//! Which partitions are ours right now, and since when.
//!
//! Each time a partition is assigned it gets a new epoch, and every message carries the epoch that
//! it was read in. So what was read before a partition went to another consumer (and perhaps came
//! back, rewound) can be told from what is ours to store.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaResult;

use super::received::Received;
use crate::client::Context;

#[derive(Default)]
pub(super) struct Assignment(Mutex<Epochs>);

#[derive(Default)]
struct Epochs {
    current: HashMap<i32, u64>,
    last: u64,
    /// Partitions that came after the client was paused are not paused themselves.
    changed: bool,
}

impl Assignment {
    // A panic in these few lines leaves the map whole, so a poisoned lock is of no concern.
    fn lock(&self) -> MutexGuard<'_, Epochs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn assigned(&self, partitions: impl IntoIterator<Item = i32>) {
        let mut epochs = self.lock();
        epochs.last += 1;
        epochs.changed = true;
        let epoch = epochs.last;
        epochs
            .current
            .extend(partitions.into_iter().map(|partition| (partition, epoch)));
    }

    fn revoked(&self, partitions: impl IntoIterator<Item = i32>) {
        let mut epochs = self.lock();
        for partition in partitions {
            epochs.current.remove(&partition);
        }
    }

    /// The epoch of a partition; 0, which is never current, when it is not ours.
    pub(super) fn epoch(&self, partition: i32) -> u64 {
        self.lock().current.get(&partition).copied().unwrap_or(0)
    }

    pub(super) fn is_current(&self, message: &Received) -> bool {
        self.lock().current.get(&message.partition) == Some(&message.epoch)
    }

    /// Whether partitions were assigned since this was last asked.
    pub(super) fn take_changed(&self) -> bool {
        std::mem::take(&mut self.lock().changed)
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<i32> {
    list.elements()
        .iter()
        .map(rdkafka::topic_partition_list::TopicPartitionListElem::partition)
        .collect()
}

impl ConsumerContext for Context<Assignment> {
    fn pre_rebalance(&self, _client: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(list) => {
                let partitions = partitions(list);
                tracing::info!(?partitions, "partitions assigned");
                self.role.assigned(partitions);
            }
            Rebalance::Revoke(list) => {
                let partitions = partitions(list);
                tracing::info!(?partitions, "partitions revoked");
                self.role.revoked(partitions);
            }
            Rebalance::Error(error) => tracing::warn!(%error, "rebalance failed"),
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        if let Err(error) = result {
            tracing::warn!(%error, "offsets were not committed; the messages will be read again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(partition: i32, epoch: u64) -> Received {
        Received {
            topic: String::new(),
            partition,
            offset: 0,
            key: None,
            payload: None,
            headers: Vec::new(),
            epoch,
        }
    }

    #[test]
    fn what_was_read_before_a_partition_left_is_not_ours_even_when_it_returns() {
        let assignment = Assignment::default();
        assignment.assigned([0, 1]);
        let read = message(0, assignment.epoch(0));
        assert!(assignment.is_current(&read));
        assignment.revoked([0]);
        assert!(!assignment.is_current(&read));
        assignment.assigned([0]);
        assert!(!assignment.is_current(&read));
        assert!(assignment.is_current(&message(0, assignment.epoch(0))));
    }

    #[test]
    fn a_partition_that_was_never_assigned_owns_nothing() {
        let assignment = Assignment::default();
        assert!(!assignment.is_current(&message(7, assignment.epoch(7))));
    }
}

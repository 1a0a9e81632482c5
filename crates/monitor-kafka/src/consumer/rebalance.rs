//! What happens when the group gives partitions and takes them back. Runs inside of `poll`, on its
//! thread, and asks nobody but the broker: the database may be away.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError as ClientError, KafkaResult};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, Statistics, TopicPartitionList};

use super::assignment::Assignment;
use super::identity::Identity;
use crate::client::{Context, Role};
use crate::error::KafkaError;

/// A member of the group.
pub(super) struct Member {
    pub(super) topic: String,
    pub(super) assignment: Assignment,
    pub(super) identity: Identity,
    /// The service ends: there is no time to wait for a broker that does not answer.
    pub(super) closing: AtomicBool,
    counts: Counts,
    failed: Mutex<Option<KafkaError>>,
}

/// How often partitions came and went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rebalances {
    /// The group gave partitions.
    pub assigned: u64,
    /// The group took partitions back, and there was time to finish.
    pub revoked: u64,
    /// The group had given the partitions to others already.
    pub lost: u64,
}

#[derive(Default)]
struct Counts {
    assigned: AtomicU64,
    revoked: AtomicU64,
    lost: AtomicU64,
}

impl Member {
    pub(super) fn new(topic: &str, patience: Duration) -> Self {
        Self {
            topic: topic.to_owned(),
            assignment: Assignment::with_patience(patience),
            identity: Identity::default(),
            closing: AtomicBool::new(false),
            counts: Counts::default(),
            failed: Mutex::default(),
        }
    }

    pub(super) fn rebalances(&self) -> Rebalances {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Rebalances {
            assigned: count(&self.counts.assigned),
            revoked: count(&self.counts.revoked),
            lost: count(&self.counts.lost),
        }
    }

    /// What went wrong in a callback, which itself cannot fail.
    pub(super) fn failure(&self) -> Option<KafkaError> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.take()
    }

    /// Takes partitions over, paused. The offset is one that can never be out of range, and is not
    /// read from: whoever knows the database says later where to begin.
    pub(super) fn take_over(
        &self,
        client: &BaseConsumer<Context<Self>>,
        partitions: &[i32],
    ) -> Result<(), ClientError> {
        let list = self.list(partitions.iter().map(|&each| (each, Offset::Beginning)))?;
        client.assign(&list)?;
        client.pause(&list)?;
        checked(&list)?;
        self.assignment.assigned(partitions.iter().copied());
        Ok(())
    }

    /// Hands partitions back. What is under way is finished, within limits, and committed while
    /// they are still ours.
    fn hand_back(
        &self,
        client: &BaseConsumer<Context<Self>>,
        partitions: &[i32],
    ) -> Result<(), ClientError> {
        if client.assignment_lost() {
            tracing::warn!(
                ?partitions,
                "partitions lost: the group went on without this member"
            );
            self.counts.lost.fetch_add(1, Ordering::Relaxed);
        } else {
            tracing::info!(?partitions, "partitions revoked");
            self.counts.revoked.fetch_add(1, Ordering::Relaxed);
            self.commit_done(client, partitions);
        }
        self.assignment.lost(partitions);
        client.unassign()
    }

    /// Waits until the broker has confirmed what is done. It was sent when it was done, so when the
    /// service ends, that has to do: to leave the group matters more.
    fn commit_done(&self, client: &BaseConsumer<Context<Self>>, partitions: &[i32]) {
        let done = self.assignment.leave(partitions);
        if !done.is_empty() && !self.closing.load(Ordering::Relaxed) {
            self.commit(client, &done, CommitMode::Sync);
        }
    }

    /// Commits offsets. That this fails is only logged: the messages come again, which the store
    /// tells.
    pub(super) fn commit(
        &self,
        client: &BaseConsumer<Context<Self>>,
        done: &[(i32, i64)],
        mode: CommitMode,
    ) {
        let offsets = done
            .iter()
            .map(|&(each, next)| (each, Offset::Offset(next)));
        let committed = self
            .list(offsets)
            .and_then(|list| client.commit(&list, mode));
        if let Err(error) = committed {
            tracing::warn!(%error, "cannot commit offsets; the messages will be read again");
        }
    }

    pub(super) fn list(
        &self,
        offsets: impl IntoIterator<Item = (i32, Offset)>,
    ) -> KafkaResult<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in offsets {
            list.add_partition_offset(&self.topic, partition, offset)?;
        }
        Ok(list)
    }
}

/// Some calls succeed as a whole and tell for each partition what did not.
pub(super) fn checked(list: &TopicPartitionList) -> KafkaResult<()> {
    list.elements()
        .iter()
        .try_for_each(TopicPartitionListElem::error)
}

fn partitions(list: &TopicPartitionList) -> Vec<i32> {
    let elements = list.elements();
    let numbers = elements.iter().map(TopicPartitionListElem::partition);
    numbers.collect()
}

impl Role for Member {
    fn log(&self, line: &str) {
        self.identity.hear(line, &self.topic);
    }

    fn statistics(&self, statistics: &Statistics) {
        let Some(topic) = statistics.topics.get(&self.topic) else {
            return;
        };
        for partition in topic.partitions.values() {
            if partition.ls_offset >= 0 {
                let (number, end) = (partition.partition, partition.ls_offset);
                self.assignment.ends_at(number, end);
            }
        }
    }
}

impl ConsumerContext for Context<Member> {
    fn rebalance(
        &self,
        client: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let partitions = partitions(list);
        let done = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                tracing::info!(?partitions, "partitions assigned");
                self.role.counts.assigned.fetch_add(1, Ordering::Relaxed);
                self.role.take_over(client, &partitions)
            }
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => {
                self.role.hand_back(client, &partitions)
            }
            other => {
                tracing::warn!(code = ?other, "rebalance failed");
                client.unassign()
            }
        };
        if let Err(error) = done {
            let failed = KafkaError::doing("cannot follow a rebalance")(error);
            let mut slot = self
                .role
                .failed
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *slot = Some(failed);
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, offsets: &TopicPartitionList) {
        if let Err(error) = result {
            tracing::warn!(%error, "offsets were not committed; the messages will be read again");
            return;
        }
        for each in offsets.elements() {
            if let (Ok(()), Offset::Offset(offset)) = (each.error(), each.offset()) {
                self.role.assignment.committed(each.partition(), offset);
            }
        }
    }
}

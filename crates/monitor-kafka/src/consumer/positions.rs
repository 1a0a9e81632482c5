//! What is known of offsets, but for what the database says.

use rdkafka::consumer::Consumer as _;
use rdkafka::{Offset, TopicPartitionList};

use super::rebalance::Member;
use super::{Client, TIMEOUT};
use crate::error::KafkaError;

/// Offsets of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The partition.
    pub partition: i32,
    /// Where the group goes on, as committed; `None` when nothing is, or when it is of a topic that
    /// was deleted since.
    pub committed: Option<i64>,
    /// The offset before which this consumer has stored everything since the partition became its
    /// own; `None` when it has stored nothing, or when the database may have lost it. The committed
    /// offset and the ledger may be behind: the one while a commit is under way, the other after
    /// batches that were stored at the same time.
    pub stored: Option<i64>,
    /// The first offset that the topic still has.
    pub earliest: i64,
    /// The offset after the last message.
    pub latest: i64,
}

/// Asks for the positions of partitions; blocks.
pub(super) fn ask(
    client: &Client,
    member: &Member,
    partitions: &[i32],
) -> Result<Vec<Position>, KafkaError> {
    let all = |offset| member.list(partitions.iter().map(|&each| (each, offset)));
    let committed = all(Offset::Invalid)
        .and_then(|list| client.committed_offsets(list, TIMEOUT))
        .map_err(KafkaError::doing("cannot read committed offsets"))?;
    // In place of times, these two ask for the ends.
    let end = |offset| {
        all(offset)
            .and_then(|list| client.offsets_for_times(list, TIMEOUT))
            .map_err(KafkaError::doing("cannot read the ends of the topic"))
    };
    let (earliest, latest) = (end(Offset::Beginning)?, end(Offset::End)?);
    let position = |&partition: &i32| {
        let known = |list: &TopicPartitionList| offset(list, &member.topic, partition);
        let latest = known(&latest)?;
        Some(Position {
            partition,
            stored: member.assignment.stored(partition, latest),
            committed: known(&committed).filter(|_| !member.identity.is_stale(partition)),
            earliest: known(&earliest)?,
            latest,
        })
    };
    // A partition without ends has no leader right now: it is asked for again.
    Ok(partitions.iter().filter_map(position).collect())
}

fn offset(list: &TopicPartitionList, topic: &str, partition: i32) -> Option<i64> {
    let found = list.find_partition(topic, partition)?;
    match (found.error(), found.offset()) {
        (Ok(()), Offset::Offset(offset)) => Some(offset),
        _ => None,
    }
}

//! Messages, detached from the client's buffers: many of them in one piece of memory.

use rdkafka::Message as _;
use rdkafka::message::BorrowedMessage;

/// Stands for a key or a value that is absent, which is not the same as an empty one.
const ABSENT: u32 = u32::MAX;

/// Messages in the order in which they were polled. Headers are left behind: to read them costs
/// more than all the rest, and only a dead letter needs them.
#[derive(Debug, Default)]
pub struct Chunk {
    bytes: Vec<u8>,
    items: Vec<Item>,
    spans: Vec<Span>,
}

/// One message: where its key and, right behind it, its value are.
#[derive(Clone, Copy, Debug)]
struct Item {
    span: usize,
    offset: i64,
    start: usize,
    key: u32,
    payload: u32,
}

/// What a chunk holds of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) partition: i32,
    /// During which reading of the partition its messages were read.
    pub(super) epoch: u64,
    /// The offset after the last of its messages.
    pub(super) next_offset: i64,
    /// When the first of them was written, in milliseconds since 1970.
    pub(super) oldest: Option<i64>,
}

/// A message that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received<'a> {
    /// Partition that it was read from.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` for a tombstone.
    pub payload: Option<&'a [u8]>,
    /// During which reading of the partition it was read.
    pub(super) epoch: u64,
}

impl Chunk {
    /// An empty one with room for about as much as another holds. A little more, because growing
    /// would double it.
    pub(super) fn like(other: &Self) -> Self {
        let and_some = |size: usize| size + size / 8;
        Self {
            bytes: Vec::with_capacity(and_some(other.bytes.len())),
            items: Vec::with_capacity(and_some(other.items.len())),
            spans: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, message: &BorrowedMessage<'_>, epoch: u64) {
        let (partition, offset) = (message.partition(), message.offset());
        let span = self.span(partition, epoch, || message.timestamp().to_millis());
        self.spans[span].next_offset = offset + 1;
        let start = self.bytes.len();
        let mut copy = |part: Option<&[u8]>| {
            let Some(part) = part else { return ABSENT };
            self.bytes.extend_from_slice(part);
            // Kafka's own limit of a message is below 2 GiB.
            u32::try_from(part.len()).unwrap_or(ABSENT)
        };
        let (key, payload) = (copy(message.key()), copy(message.payload()));
        self.items.push(Item {
            span,
            offset,
            start,
            key,
            payload,
        });
    }

    /// Messages come in runs of one partition, so the last span is the likely one.
    fn span(&mut self, partition: i32, epoch: u64, oldest: impl Fn() -> Option<i64>) -> usize {
        let same = |span: &Span| span.partition == partition && span.epoch == epoch;
        if let Some(index) = self.spans.iter().rposition(same) {
            return index;
        }
        self.spans.push(Span {
            partition,
            epoch,
            next_offset: 0,
            oldest: oldest(),
        });
        self.spans.len() - 1
    }

    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// How many messages it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether it holds no message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many bytes the keys and values have.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The message at a place in the order.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Received<'_>> {
        let item = self.items.get(index)?;
        let span = self.spans.get(item.span)?;
        let length = |part: u32| if part == ABSENT { 0 } else { part as usize };
        let value = item.start + length(item.key);
        let end = value + length(item.payload);
        Some(Received {
            partition: span.partition,
            offset: item.offset,
            key: (item.key != ABSENT).then(|| &self.bytes[item.start..value]),
            payload: (item.payload != ABSENT).then(|| &self.bytes[value..end]),
            epoch: span.epoch,
        })
    }

    /// All messages, in order.
    pub fn iter(&self) -> impl Iterator<Item = Received<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

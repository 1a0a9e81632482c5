//! Messages on their way to the database.

use super::super::chunk::{Chunk, Received, Span};

/// A number of messages on their way to the database.
#[derive(Debug)]
pub struct Ticket {
    pub(super) number: u64,
    pub(super) spans: Vec<Span>,
}

impl Ticket {
    /// Whether all messages of a chunk are ours to store.
    #[must_use]
    pub fn covers(&self, chunk: &Chunk) -> bool {
        let holds = |span: &Span| self.includes(span.partition, span.epoch);
        chunk.spans().iter().all(holds)
    }

    fn includes(&self, partition: i32, epoch: u64) -> bool {
        let mut spans = self.spans.iter();
        spans.any(|span| (span.partition, span.epoch) == (partition, epoch))
    }

    /// Whether a message is among those that are ours to store.
    #[must_use]
    pub fn holds(&self, message: &Received<'_>) -> bool {
        self.includes(message.partition, message.epoch)
    }

    /// The partitions of its messages.
    pub fn partitions(&self) -> impl Iterator<Item = i32> {
        self.spans.iter().map(|span| span.partition)
    }
}

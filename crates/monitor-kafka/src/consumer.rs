//! Reading the topic: on a thread of its own that never stops polling, into bounded chunks.
//!
//! The thread keeps the membership in the consumer group alive whatever the reader of the chunks
//! is doing. When the reader falls behind, the partitions are paused; nothing piles up in memory.

mod assignment;
mod poll;
mod received;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::{mpsc, watch};

use self::assignment::Assignment;
use self::poll::Poller;
pub use self::received::Received;
use crate::client::Context;
use crate::error::KafkaError;
use crate::link::Link;
use crate::settings::KafkaSettings;

/// Messages in the order in which they were polled.
pub type Chunk = Vec<Received>;

/// Chunks that may wait for the reader before the partitions are paused.
const WAITING_CHUNKS: usize = 2;
/// How long leaving the group may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// How much to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// For ever, as a member of the group, sharing the partitions with its other members.
    Forever,
    /// All partitions, up to what they hold now, without joining the group.
    UntilEnd,
}

/// How to read.
#[derive(Clone, Debug)]
pub struct ConsumerOptions {
    /// Consumer group: whose committed offsets to go on from.
    pub group: String,
    /// Name of this client in the broker's logs.
    pub client_id: String,
    /// How much to read.
    pub extent: Extent,
    /// Most messages in a chunk.
    pub chunk_size: usize,
}

type Client = BaseConsumer<Context<Assignment>>;

/// A running consumer of the topic of check events.
pub struct Consumer {
    client: Arc<Client>,
    topic: String,
    chunks: mpsc::Receiver<Chunk>,
    thread: JoinHandle<Result<(), KafkaError>>,
    stop: Arc<AtomicBool>,
    link: watch::Receiver<Link>,
}

impl Consumer {
    /// Starts to read the topic.
    pub fn start(settings: &KafkaSettings, options: &ConsumerOptions) -> Result<Self, KafkaError> {
        let context = Context::new(Assignment::default());
        let link = context.link.watch();
        let client: Client = settings
            .client_config(&options.client_id)
            .set("group.id", &options.group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest")
            .set("isolation.level", "read_committed")
            .set("check.crcs", "true")
            .set("partition.assignment.strategy", "range,roundrobin")
            .set("queued.max.messages.kbytes", "16384")
            // The default of a second stalls the reader whenever the local queue was full.
            .set("fetch.queue.backoff.ms", "5")
            .set(
                "enable.partition.eof",
                (options.extent == Extent::UntilEnd).to_string(),
            )
            .create_with_context(context)
            .map_err(KafkaError::doing("cannot make a Kafka consumer"))?;
        let (sender, chunks) = mpsc::channel(WAITING_CHUNKS);
        let (client, stop) = (Arc::new(client), Arc::new(AtomicBool::new(false)));
        let poller = Poller::new(Arc::clone(&client), Arc::clone(&stop), sender, options);
        let topic = settings.topic.clone();
        let polled_topic = topic.clone();
        let thread = std::thread::Builder::new()
            .name("kafka-poll".to_owned())
            .spawn(move || poller.run(&polled_topic))
            .map_err(|error| KafkaError::Fatal(format!("cannot start the poll thread: {error}")))?;
        Ok(Self {
            client,
            topic,
            chunks,
            thread,
            stop,
            link,
        })
    }

    /// The next chunk; `None` once everything has been read ([`Extent::UntilEnd`]) or the client
    /// has failed, of which [`close`](Self::close) tells.
    pub async fn next_chunk(&mut self) -> Option<Chunk> {
        self.chunks.recv().await
    }

    /// Removes the messages of partitions that have been handed over since they were read: their
    /// new owner reads them again.
    pub fn retain_owned(&self, messages: &mut Vec<Received>) {
        let assignment = &self.client.context().role;
        messages.retain(|message| assignment.is_current(message));
    }

    /// Commits, in the background, that everything before these offsets (by partition) is done.
    ///
    /// A commit that fails is only logged: the messages come again, which the store tells.
    pub fn commit(&self, next_offsets: &HashMap<i32, i64>) {
        let committed = self
            .offset_list(next_offsets)
            .and_then(|list| self.client.commit(&list, CommitMode::Async));
        if let Err(error) = committed {
            tracing::warn!(%error, "cannot commit offsets; the messages will be read again");
        }
    }

    fn offset_list(
        &self,
        next_offsets: &HashMap<i32, i64>,
    ) -> Result<TopicPartitionList, rdkafka::error::KafkaError> {
        let mut list = TopicPartitionList::with_capacity(next_offsets.len());
        for (partition, offset) in next_offsets {
            list.add_partition_offset(&self.topic, *partition, Offset::Offset(*offset))?;
        }
        Ok(list)
    }

    /// How the connection is doing.
    #[must_use]
    pub fn link(&self) -> watch::Receiver<Link> {
        self.link.clone()
    }

    /// Waits for commits under way, leaves the group and stops. The error is the one that ended
    /// the reading, if any did.
    pub async fn close(self) -> Result<(), KafkaError> {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.chunks);
        let (thread, client) = (self.thread, self.client);
        let closing = tokio::task::spawn_blocking(move || {
            let ended = thread.join();
            // The last handle: this is where the client leaves the group.
            drop(client);
            ended.unwrap_or_else(|_| Err(KafkaError::Fatal("the poll thread panicked".to_owned())))
        });
        match tokio::time::timeout(CLOSE_TIMEOUT, closing).await {
            Ok(Ok(ended)) => ended,
            Ok(Err(panic)) => Err(KafkaError::Fatal(panic.to_string())),
            Err(_) => {
                tracing::warn!("leaving the consumer group took too long; left without goodbye");
                Ok(())
            }
        }
    }
}

//! Reading the topic: on a thread of its own that never stops polling, into bounded chunks.
//!
//! The thread keeps the membership in the consumer group alive whatever the reader of the chunks
//! is doing. When the reader falls behind, the partitions are paused; nothing piles up in memory.
//!
//! A partition that was assigned is paused until the reader has said where to begin
//! ([`Progress::begin`]): only the reader knows the database, which has a say in it.

mod assignment;
mod chunk;
mod identity;
mod lag;
mod poll;
mod positions;
mod progress;
mod rebalance;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::BaseConsumer;
use tokio::sync::{mpsc, watch};

pub use self::assignment::{Rewound, Ticket, Waiting};
pub use self::chunk::{Chunk, Received};
pub use self::lag::Lag;
use self::poll::Poller;
pub use self::positions::Position;
pub use self::progress::{Begin, Progress};
use self::rebalance::Member;
pub use self::rebalance::Rebalances;
use crate::client::Context;
use crate::error::KafkaError;
use crate::link::Link;
use crate::settings::KafkaSettings;

/// Chunks that may wait for the reader before the partitions are paused.
const WAITING_CHUNKS: usize = 2;
/// How long the broker may take to answer questions about offsets.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long leaving the group may take, after what was under way has ended.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for batches under way when partitions leave: the other members wait as well.
const PATIENCE: Duration = Duration::from_secs(5);

/// Least time without a poll after which the group goes on without a member whose client still gives
/// signs of life: the poll thread waits for nothing nearly as long, so it hangs. A rebalance waits no
/// longer for a member either.
const POLL_TIMEOUT: Duration = Duration::from_secs(45);

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
    /// How long the group waits for a sign of life of a member.
    pub session_timeout: Duration,
}

type Client = BaseConsumer<Context<Member>>;

/// A running consumer of the topic of check events.
pub struct Consumer {
    client: Arc<Client>,
    progress: Progress,
    chunks: mpsc::Receiver<Chunk>,
    thread: JoinHandle<Result<(), KafkaError>>,
    stop: Arc<AtomicBool>,
    link: watch::Receiver<Link>,
}

impl Consumer {
    /// Starts to read the topic.
    pub fn start(settings: &KafkaSettings, options: &ConsumerOptions) -> Result<Self, KafkaError> {
        let client = Arc::new(client(settings, options)?);
        let (sender, chunks) = mpsc::channel(WAITING_CHUNKS);
        let (beginnings_sender, beginnings) = std::sync::mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let poller = Poller::new(
            Arc::clone(&client),
            Arc::clone(&stop),
            beginnings,
            sender,
            options,
        );
        let thread = std::thread::Builder::new()
            .name("kafka-poll".to_owned())
            .spawn(move || poller.run())
            .map_err(|error| KafkaError::Fatal(format!("cannot start the poll thread: {error}")))?;
        Ok(Self {
            progress: Progress::new(&client, beginnings_sender),
            link: rdkafka::consumer::Consumer::context(&*client).link.watch(),
            client,
            chunks,
            thread,
            stop,
        })
    }

    /// The next chunk; `None` once everything has been read and dealt with ([`Extent::UntilEnd`])
    /// or the client has failed, of which [`close`](Self::close) tells.
    pub async fn next_chunk(&mut self) -> Option<Chunk> {
        self.chunks.recv().await
    }

    /// Where to tell how far the reader has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// How the connection is doing.
    #[must_use]
    pub fn link(&self) -> watch::Receiver<Link> {
        self.link.clone()
    }

    /// Commits what is done, leaves the group and stops. The error is the one that ended the
    /// reading, if any did.
    pub async fn close(self) -> Result<(), KafkaError> {
        self.progress.is_closing();
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
                tracing::warn!(
                    "leaving the consumer group took too long; left without goodbye: the others wait \
                     for this member until its session has timed out"
                );
                Ok(())
            }
        }
    }
}

fn client(settings: &KafkaSettings, options: &ConsumerOptions) -> Result<Client, KafkaError> {
    let patience = PATIENCE.min(options.session_timeout / 3);
    let milliseconds = |duration: Duration| duration.as_millis().to_string();
    settings
        .client_config(&options.client_id)
        .set("group.id", &options.group)
        .set("session.timeout.ms", milliseconds(options.session_timeout))
        .set(
            "heartbeat.interval.ms",
            milliseconds((options.session_timeout / 10).min(Duration::from_secs(3))),
        )
        .set(
            "max.poll.interval.ms",
            milliseconds(options.session_timeout.max(POLL_TIMEOUT)),
        )
        .set("debug", identity::DEBUG)
        .set_log_level(RDKafkaLogLevel::Debug)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // An offset that the topic does not have is told, never silently replaced.
        .set("auto.offset.reset", "error")
        .set("isolation.level", "read_committed")
        .set("check.crcs", "true")
        .set("partition.assignment.strategy", "range,roundrobin")
        .set("queued.max.messages.kbytes", "2048")
        // Answers are compressed, and may hold several times as much as may be queued. This is as
        // small as the client lets it be.
        .set("fetch.max.bytes", "1048576")
        // The default of a second stalls the reader whenever the local queue was full.
        .set("fetch.queue.backoff.ms", "5")
        .set(
            "enable.partition.eof",
            (options.extent == Extent::UntilEnd).to_string(),
        )
        .create_with_context(Context::new(Member::new(&settings.topic, patience)))
        .map_err(KafkaError::doing("cannot make a Kafka consumer"))
}

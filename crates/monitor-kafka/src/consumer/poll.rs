//! The poll loop.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use rdkafka::{Message as _, Offset, TopicPartitionList};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::{Chunk, Client, ConsumerOptions, Extent, Received};
use crate::error::KafkaError;

/// How long to wait for a message, and so for a request to stop.
const POLL: Duration = Duration::from_millis(100);
/// How long to wait before a chunk that found no room is offered again.
const RETRY: Duration = Duration::from_millis(10);
/// How long the broker may take to answer questions about offsets.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Poller {
    client: Arc<Client>,
    stop: Arc<AtomicBool>,
    chunks: mpsc::Sender<Chunk>,
    chunk: Chunk,
    chunk_size: usize,
    paused: bool,
    extent: Extent,
    /// Partitions whose end has not been reached yet; only for [`Extent::UntilEnd`].
    unfinished: HashSet<i32>,
}

/// What one turn of the loop found.
enum Turn {
    Message,
    Nothing,
}

impl Poller {
    pub(super) fn new(
        client: Arc<Client>,
        stop: Arc<AtomicBool>,
        chunks: mpsc::Sender<Chunk>,
        options: &ConsumerOptions,
    ) -> Self {
        Self {
            client,
            stop,
            chunks,
            chunk: Chunk::new(),
            chunk_size: options.chunk_size.max(1),
            paused: false,
            extent: options.extent,
            unfinished: HashSet::new(),
        }
    }

    /// Polls until told to stop, the end, or a fatal error. Never waits for anything but messages.
    pub(super) fn run(mut self, topic: &str) -> Result<(), KafkaError> {
        match self.extent {
            Extent::Forever => {
                self.client
                    .subscribe(&[topic])
                    .map_err(KafkaError::doing("cannot subscribe"))?;
            }
            Extent::UntilEnd => self.assign_all(topic)?,
        }
        let mut wait = POLL;
        while !self.stop.load(Ordering::Relaxed) && !self.is_finished() {
            let turn = self.turn(wait)?;
            wait = self.hand_over(&turn)?;
        }
        Ok(())
    }

    fn is_finished(&self) -> bool {
        self.extent == Extent::UntilEnd && self.unfinished.is_empty() && self.chunk.is_empty()
    }

    /// Takes every partition from the group's committed offset on, without joining the group.
    fn assign_all(&mut self, topic: &str) -> Result<(), KafkaError> {
        let metadata = self.client.fetch_metadata(Some(topic), TIMEOUT);
        let metadata = metadata.map_err(KafkaError::doing("cannot list partitions"))?;
        let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
        self.unfinished = partitions.map(MetadataPartition::id).collect();
        let mut list = TopicPartitionList::new();
        for partition in &self.unfinished {
            list.add_partition(topic, *partition);
        }
        let mut start = self
            .client
            .committed_offsets(list, TIMEOUT)
            .map_err(KafkaError::doing("cannot read committed offsets"))?;
        start_at_the_beginning_where_nothing_is_committed(&mut start)
            .map_err(KafkaError::doing("cannot choose offsets"))?;
        self.client
            .context()
            .role
            .assigned(self.unfinished.iter().copied());
        self.client
            .assign(&start)
            .map_err(KafkaError::doing("cannot assign partitions"))
    }

    fn turn(&mut self, wait: Duration) -> Result<Turn, KafkaError> {
        let context = Arc::clone(self.client.context());
        match self.client.poll(wait) {
            None => return Ok(Turn::Nothing),
            Some(Ok(message)) => {
                context.link.up();
                let epoch = context.role.epoch(message.partition());
                self.chunk.push(Received::detach(&message, epoch));
                return Ok(Turn::Message);
            }
            Some(Err(ClientError::PartitionEOF(partition))) => {
                self.unfinished.remove(&partition);
            }
            Some(Err(ClientError::MessageConsumptionFatal(code))) => {
                return Err(KafkaError::Fatal(code.to_string()));
            }
            Some(Err(error)) => note(&error),
        }
        Ok(Turn::Nothing)
    }

    /// Offers the chunk when it is full or nothing more is waiting; says how long to wait for the
    /// next message.
    fn hand_over(&mut self, turn: &Turn) -> Result<Duration, KafkaError> {
        let full = self.chunk.len() >= self.chunk_size;
        if self.chunk.is_empty() {
            return Ok(POLL);
        }
        if matches!(turn, Turn::Message) && !full {
            return Ok(Duration::ZERO);
        }
        match self.chunks.try_send(std::mem::take(&mut self.chunk)) {
            Ok(()) => {
                self.resume()?;
                Ok(Duration::ZERO)
            }
            Err(TrySendError::Full(chunk)) => {
                self.chunk = chunk;
                if full {
                    self.pause()?;
                }
                Ok(RETRY)
            }
            Err(TrySendError::Closed(_)) => {
                self.stop.store(true, Ordering::Relaxed);
                Ok(Duration::ZERO)
            }
        }
    }

    fn pause(&mut self) -> Result<(), KafkaError> {
        if self.paused && !self.client.context().role.take_changed() {
            return Ok(());
        }
        let assignment = self.assignment()?;
        self.client
            .pause(&assignment)
            .map_err(KafkaError::doing("cannot pause"))?;
        self.paused = true;
        Ok(())
    }

    fn resume(&mut self) -> Result<(), KafkaError> {
        if !self.paused {
            return Ok(());
        }
        let assignment = self.assignment()?;
        self.client
            .resume(&assignment)
            .map_err(KafkaError::doing("cannot resume"))?;
        self.paused = false;
        Ok(())
    }

    fn assignment(&self) -> Result<TopicPartitionList, KafkaError> {
        self.client
            .assignment()
            .map_err(KafkaError::doing("cannot read the assignment"))
    }
}

fn start_at_the_beginning_where_nothing_is_committed(
    list: &mut TopicPartitionList,
) -> Result<(), ClientError> {
    for mut element in list.elements() {
        if element.offset() == Offset::Invalid {
            element.set_offset(Offset::Beginning)?;
        }
    }
    Ok(())
}

/// Trouble that the client itself gets over: it retries for as long as it takes.
fn note(error: &ClientError) {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            tracing::warn!(%error, "the topic is gone: create it with `admin topics create`");
        }
        Some(
            RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::GroupAuthorizationFailed,
        ) => tracing::warn!(%error, "not allowed to read: look at the ACLs of this user"),
        _ => tracing::debug!(%error, "poll"),
    }
}

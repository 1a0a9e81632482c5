//! The poll loop.

mod anew;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError as ClientError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use rdkafka::{Message as _, Offset, TopicPartitionList};
use tokio::sync::mpsc;

use super::progress::Beginning;
use super::rebalance::{Member, checked};
use super::{Begin, Chunk, Client, ConsumerOptions, Extent, TIMEOUT};
use crate::client::Context;
use crate::error::KafkaError;

/// How long to wait for a message, and so for a request to stop.
const POLL: Duration = Duration::from_millis(100);
/// How long to wait while partitions are to begin, so that they do so soon.
const EAGER_POLL: Duration = Duration::from_millis(5);
/// How long to wait before a chunk that found no room is offered again.
const RETRY: Duration = Duration::from_millis(5);
/// The same while nothing is polled.
const REST: Duration = Duration::from_millis(1);
/// How long a full chunk is held back before its partitions are paused. To pause is to throw away
/// what the client has fetched already, so a reader that is merely busy is waited for.
const PATIENCE: Duration = Duration::from_millis(500);
/// Most bytes in a chunk, unless one message alone is larger.
const CHUNK_BYTES: usize = 1 << 20;
/// How long a partition waits that could not begin.
const POSTPONE: Duration = Duration::from_millis(100);

pub(super) struct Poller {
    client: Arc<Client>,
    context: Arc<Context<Member>>,
    stop: Arc<AtomicBool>,
    beginnings: Receiver<Beginning>,
    chunks: mpsc::Sender<Chunk>,
    chunk: Chunk,
    chunk_size: usize,
    /// The reader of the chunks has fallen behind, and so the partitions are paused.
    held: bool,
    /// All partitions are to begin anew, once what was read of them is stored; until then, they are
    /// paused.
    anew: bool,
    /// Since when a full chunk has found no room.
    stuck: Option<Instant>,
    /// State of the assignment that was last acted upon.
    version: u64,
    /// Partition and epoch of the last message.
    last: Option<(i32, Option<u64>)>,
    extent: Extent,
    /// Partitions whose end has not been reached yet; only for [`Extent::UntilEnd`].
    unfinished: HashSet<i32>,
}

/// What to do after a chunk was offered.
enum Next {
    /// Wait so long for a message.
    Poll(Duration),
    /// Nothing, for a moment.
    Rest,
}

impl Poller {
    pub(super) fn new(
        client: Arc<Client>,
        stop: Arc<AtomicBool>,
        beginnings: Receiver<Beginning>,
        chunks: mpsc::Sender<Chunk>,
        options: &ConsumerOptions,
    ) -> Self {
        Self {
            context: Arc::clone(client.context()),
            client,
            stop,
            beginnings,
            chunks,
            chunk: Chunk::default(),
            chunk_size: options.chunk_size.max(1),
            held: false,
            anew: false,
            stuck: None,
            version: 0,
            last: None,
            extent: options.extent,
            unfinished: HashSet::new(),
        }
    }

    /// Polls until told to stop, the end, or a fatal error. Never waits long for anything else.
    pub(super) fn run(mut self) -> Result<(), KafkaError> {
        match self.extent {
            Extent::Forever => {
                let topic = &self.member().topic;
                let subscribed = self.client.subscribe(&[topic]);
                subscribed.map_err(KafkaError::doing("cannot subscribe"))?;
            }
            Extent::UntilEnd => self.assign_all()?,
        }
        let mut next = Next::Poll(POLL);
        while !self.stop.load(Ordering::Relaxed) && !self.is_finished() {
            match next {
                Next::Poll(wait) => self.fill(wait)?,
                Next::Rest => std::thread::sleep(REST),
            }
            if let Some(failure) = self.member().failure() {
                return Err(failure);
            }
            if self.member().identity.has_changed() {
                self.follow_to_new_topic()?;
            }
            self.follow_assignment()?;
            self.begin_anew()?;
            next = self.hand_over()?;
        }
        Ok(())
    }

    fn member(&self) -> &Member {
        &self.context.role
    }

    fn is_finished(&self) -> bool {
        self.extent == Extent::UntilEnd
            && !self.anew
            && self.unfinished.is_empty()
            && self.chunk.is_empty()
            && !self.member().assignment.is_unsettled()
    }

    /// Takes every partition, without joining the group.
    fn assign_all(&mut self) -> Result<(), KafkaError> {
        let metadata = self
            .client
            .fetch_metadata(Some(&self.member().topic), TIMEOUT);
        let metadata = metadata.map_err(KafkaError::doing("cannot list partitions"))?;
        let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
        let partitions: Vec<i32> = partitions.map(MetadataPartition::id).collect();
        self.unfinished = partitions.iter().copied().collect();
        self.take_over(&partitions)
    }

    /// Polls until the chunk is full or nothing more is waiting.
    fn fill(&mut self, mut wait: Duration) -> Result<(), KafkaError> {
        let client = Arc::clone(&self.client);
        // Also when the chunk is full already: who does not poll is not a member for long.
        loop {
            match client.poll(wait) {
                None => return Ok(()),
                Some(Ok(message)) => self.receive(&message),
                Some(Err(error)) => return self.suffer(&error),
            }
            if self.chunk_is_full() {
                return Ok(());
            }
            wait = Duration::ZERO;
        }
    }

    fn chunk_is_full(&self) -> bool {
        self.chunk.len() >= self.chunk_size || self.chunk.bytes() >= CHUNK_BYTES
    }

    fn receive(&mut self, message: &BorrowedMessage<'_>) {
        if self.member().identity.has_changed() {
            // At an offset that was one of the topic before.
            return;
        }
        let partition = message.partition();
        let assignment = &self.context.role.assignment;
        let version = assignment.version();
        let epoch = match self.last {
            Some((last, epoch)) if last == partition && version == self.version => epoch,
            _ => {
                // Only asked when something may have changed since the last message.
                let epoch = assignment.epoch(partition);
                self.last = (version == self.version).then_some((partition, epoch));
                epoch
            }
        };
        // What the client still had of a partition that is to begin elsewhere is not wanted.
        if let Some(epoch) = epoch {
            if self.chunk.is_empty() {
                self.context.link.up();
            }
            self.chunk.push(message, epoch);
        }
    }

    fn suffer(&mut self, error: &ClientError) -> Result<(), KafkaError> {
        match error {
            ClientError::PartitionEOF(partition) => {
                self.unfinished.remove(partition);
                Ok(())
            }
            ClientError::MessageConsumptionFatal(code) => Err(KafkaError::Fatal(code.to_string())),
            _ if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset) => {
                self.plan_to_begin_anew()
            }
            _ => {
                note(error);
                Ok(())
            }
        }
    }

    fn take_over(&self, partitions: &[i32]) -> Result<(), KafkaError> {
        self.member()
            .take_over(&self.client, partitions)
            .map_err(KafkaError::doing("cannot assign partitions"))
    }

    /// Lets partitions begin that have been told where, and pauses those that have not.
    fn follow_assignment(&mut self) -> Result<(), KafkaError> {
        while let Ok((begin, answer)) = self.beginnings.try_recv() {
            let is_read = !self.anew && self.begin(begin)?;
            // Who asked may not care any more.
            answer.send(is_read).ok();
        }
        let version = self.member().assignment.version();
        if version == self.version {
            return Ok(());
        }
        (self.version, self.last) = (version, None);
        self.pause(&self.member().assignment.partitions(false))
    }

    /// Whether the partition is being read now.
    fn begin(&mut self, begin: Begin) -> Result<bool, KafkaError> {
        let Begin {
            waiting,
            offset,
            floor,
        } = begin;
        let partition = waiting.partition;
        let member = &self.context.role;
        if !member.assignment.is_waiting(waiting) {
            return Ok(false);
        }
        let sought = member
            .list([(partition, Offset::Offset(offset))])
            .and_then(|list| self.client.seek_partitions(list, TIMEOUT))
            .and_then(|list| checked(&list));
        if let Err(error) = sought {
            // Right after an assignment the client may not be that far yet.
            tracing::debug!(partition, offset, %error, "cannot seek yet");
            let until = Instant::now() + POSTPONE;
            member.assignment.postpone(waiting, until);
            return Ok(false);
        }
        tracing::info!(
            kafka.partition = partition,
            kafka.offset = offset,
            "reading"
        );
        member.assignment.begun(waiting, offset, floor);
        member.identity.begun(partition);
        if self.extent == Extent::UntilEnd {
            self.unfinished.insert(partition);
        }
        if !self.held {
            self.resume(&[partition])?;
        }
        Ok(true)
    }

    /// Offers the chunk; says what to do next.
    fn hand_over(&mut self) -> Result<Next, KafkaError> {
        if self.chunk.is_empty() {
            let eager = self.anew
                || self.extent == Extent::UntilEnd
                || !self.member().assignment.partitions(false).is_empty();
            return Ok(Next::Poll(if eager { EAGER_POLL } else { POLL }));
        }
        if self.chunks.capacity() == 0 && !self.chunks.is_closed() {
            return self.wait_for_room();
        }
        let next = Chunk::like(&self.chunk);
        let chunk = std::mem::replace(&mut self.chunk, next);
        self.member().assignment.handed_over(chunk.spans());
        // Nobody else sends, so there is room, unless nobody receives any more.
        if self.chunks.try_send(chunk).is_err() {
            self.stop.store(true, Ordering::Relaxed);
        }
        self.stuck = None;
        if std::mem::take(&mut self.held) && !self.anew {
            self.resume(&self.member().assignment.partitions(true))?;
        }
        Ok(Next::Poll(Duration::ZERO))
    }

    fn wait_for_room(&mut self) -> Result<Next, KafkaError> {
        if self.held || !self.chunk_is_full() {
            return Ok(Next::Poll(RETRY));
        }
        let since = *self.stuck.get_or_insert_with(Instant::now);
        if since.elapsed() < PATIENCE {
            return Ok(Next::Rest);
        }
        self.held = true;
        self.pause(&self.member().assignment.partitions(true))?;
        Ok(Next::Poll(RETRY))
    }

    fn pause(&self, partitions: &[i32]) -> Result<(), KafkaError> {
        let paused = self
            .list(partitions)
            .and_then(|list| self.client.pause(&list));
        paused.map_err(KafkaError::doing("cannot pause"))
    }

    fn resume(&self, partitions: &[i32]) -> Result<(), KafkaError> {
        let resumed = self
            .list(partitions)
            .and_then(|list| self.client.resume(&list));
        resumed.map_err(KafkaError::doing("cannot resume"))
    }

    fn list(&self, partitions: &[i32]) -> KafkaResult<TopicPartitionList> {
        let all = partitions.iter().map(|&each| (each, Offset::Invalid));
        self.member().list(all)
    }
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

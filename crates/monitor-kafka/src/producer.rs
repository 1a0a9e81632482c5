//! Sending messages, and knowing what became of each.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{
    BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer,
};
use tokio::sync::{mpsc, watch};

use crate::client::{Context, Role};
use crate::error::KafkaError;
use crate::link::{Link, LinkState};
use crate::settings::KafkaSettings;

/// A message on its way out.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Decides the partition; messages of one key stay in order.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is a tombstone.
    pub payload: Option<&'a [u8]>,
    /// Names and values; a header may repeat and may have no value.
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
}

/// What became of one message.
#[derive(Debug)]
pub struct Delivery {
    /// The number that it was sent under.
    pub sequence: usize,
    /// `Ok` once every in-sync replica has it.
    pub result: Result<(), KafkaError>,
}

/// Why a message was not even queued.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The queue is full: wait for a delivery, then send again.
    #[error("the producer's queue is full")]
    QueueFull,
    /// The client has failed for good: make a new one and send again.
    #[error(transparent)]
    Fatal(KafkaError),
    /// This message cannot be sent.
    #[error(transparent)]
    Message(KafkaError),
}

/// An idempotent producer into one topic. Every message that [`send`](Self::send) accepts is
/// answered by exactly one [`Delivery`], unless the producer is renewed before that.
pub struct Producer {
    inner: ThreadedProducer<Context<Reports>>,
    config: ClientConfig,
    topic: String,
}

type Record<'a> = BaseRecord<'a, [u8], [u8], usize>;

/// Where deliveries arrive.
pub type Deliveries = mpsc::UnboundedReceiver<Delivery>;

impl Producer {
    /// Makes a producer into `topic`; connecting happens in the background. Deliveries arrive on
    /// the returned channel.
    pub fn new(
        settings: &KafkaSettings,
        topic: &str,
        client_id: &str,
    ) -> Result<(Self, Deliveries), KafkaError> {
        let mut config = settings.client_config(client_id);
        config
            .set("enable.idempotence", "true")
            .set("message.timeout.ms", "120000")
            .set("queue.buffering.max.messages", "10000")
            .set("queue.buffering.max.kbytes", "65536")
            .set("linger.ms", "20")
            // Far below any broker's largest batch: it refuses one that is larger as a whole.
            .set("batch.size", "262144")
            // The broker decides; a dead letter is larger than its message.
            .set("message.max.bytes", "2097152")
            .set("compression.type", "lz4")
            // The Java client's partitioner, so that other writers put a site where we do.
            .set("partitioner", "murmur2_random");
        let (inner, deliveries) = client(&config, LinkState::new())?;
        let topic = topic.to_owned();
        Ok((
            Self {
                inner,
                config,
                topic,
            },
            deliveries,
        ))
    }

    /// Puts a new client in the place of one that has failed for good, or that has certificates which
    /// were replaced since: the new one reads their files. Messages that were on their way are given
    /// up without a report; whoever watches the link goes on watching. After an error, the old client
    /// is still there.
    pub fn renew(&mut self) -> Result<Deliveries, KafkaError> {
        let link = self.inner.context().link.clone();
        let (inner, deliveries) = client(&self.config, link)?;
        self.inner = inner;
        Ok(deliveries)
    }

    /// Queues a message. Its fate is reported under `sequence`.
    pub fn send(&self, sequence: usize, message: Outgoing<'_>) -> Result<(), Refused> {
        self.enqueue(self.record(sequence, message))
    }

    /// The same, with headers before those of the message that are taken over byte for byte.
    pub(crate) fn send_behind(
        &self,
        raw: OwnedHeaders,
        sequence: usize,
        message: Outgoing<'_>,
    ) -> Result<(), Refused> {
        let headers = append(raw, message.headers);
        self.enqueue(self.record(sequence, message).headers(headers))
    }

    /// The same, into a partition of the caller's choice.
    pub fn send_to(
        &self,
        partition: i32,
        sequence: usize,
        message: Outgoing<'_>,
    ) -> Result<(), Refused> {
        self.enqueue(self.record(sequence, message).partition(partition))
    }

    fn record<'a>(&'a self, sequence: usize, message: Outgoing<'a>) -> Record<'a> {
        let headers = OwnedHeaders::new_with_capacity(message.headers.len());
        let headers = append(headers, message.headers);
        let mut record = Record::with_opaque_to(&self.topic, sequence).headers(headers);
        record.key = message.key;
        record.payload = message.payload;
        record
    }

    fn enqueue(&self, record: Record<'_>) -> Result<(), Refused> {
        let sent = self.inner.send(record);
        sent.map_err(|(error, _)| self.refusal(error))
    }

    /// Sends what is queued and waits until all of it has been answered, but not longer than `limit`;
    /// blocks. What has been is told by the deliveries.
    pub fn flush(&self, limit: Duration) {
        if let Err(error) = self.inner.flush(limit) {
            tracing::debug!(%error, "not all messages were answered");
        }
    }

    /// Why the client has failed for good, if it has: then it has to be [renewed](Self::renew).
    #[must_use]
    pub fn fatal_error(&self) -> Option<KafkaError> {
        let fatal = self.inner.client().fatal_error();
        fatal.map(|(_, why)| KafkaError::Fatal(why))
    }

    fn refusal(&self, error: ClientError) -> Refused {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::QueueFull) => Refused::QueueFull,
            Some(RDKafkaErrorCode::Fatal) => {
                let unnamed = || KafkaError::Fatal(error.to_string());
                Refused::Fatal(self.fatal_error().unwrap_or_else(unnamed))
            }
            _ => Refused::Message(KafkaError::Client {
                doing: "cannot send",
                source: error,
            }),
        }
    }

    /// What in the cluster may keep messages from being taken, which no report tells before the message
    /// is given up: partitions without a leader, or without replicas. Blocks for `limit` at most. `None`
    /// also when no broker answers, which is for the link to tell.
    #[must_use]
    pub fn impediment(&self, limit: Duration) -> Option<String> {
        let client = self.inner.client();
        let metadata = client.fetch_metadata(Some(&self.topic), limit).ok()?;
        let partitions = metadata.topics().first()?.partitions();
        let lead = partitions.iter().filter(|each| each.leader() >= 0);
        let whole = lead
            .clone()
            .filter(|each| each.isr().len() >= each.replicas().len());
        impediment(partitions.len(), lead.count(), whole.count())
    }

    /// How the connection is doing.
    #[must_use]
    pub fn link(&self) -> watch::Receiver<Link> {
        self.inner.context().link.watch()
    }
}

/// Of so many partitions, so many have a leader, and so many of these all their replicas.
fn impediment(all: usize, lead: usize, whole: usize) -> Option<String> {
    if lead < all {
        let missing = all - lead;
        Some(format!(
            "{missing} of {all} partitions have no leader: are their brokers down?"
        ))
    } else if whole < all {
        let lacking = all - whole;
        Some(format!(
            "{lacking} of {all} partitions lack replicas in sync: are brokers down, and fewer left than \
             min.insync.replicas?"
        ))
    } else {
        None
    }
}

fn client(
    config: &ClientConfig,
    link: LinkState,
) -> Result<(ThreadedProducer<Context<Reports>>, Deliveries), KafkaError> {
    let (sender, deliveries) = mpsc::unbounded_channel();
    let role = Reports(sender);
    let inner = config
        .create_with_context(Context { link, role })
        .map_err(KafkaError::doing("cannot make a Kafka producer"))?;
    Ok((inner, deliveries))
}

fn append(to: OwnedHeaders, headers: &[(&str, Option<&[u8]>)]) -> OwnedHeaders {
    headers.iter().fold(to, |owned, (key, value)| {
        owned.insert(Header { key, value: *value })
    })
}

/// Where deliveries are told. Runs on the client's own thread and must not block.
struct Reports(mpsc::UnboundedSender<Delivery>);

impl Role for Reports {}

impl ProducerContext for Context<Reports> {
    type DeliveryOpaque = usize;

    fn delivery(&self, report: &DeliveryResult<'_>, sequence: usize) {
        let result = match report {
            Ok(_) => Ok(()),
            Err((error, _)) => Err(KafkaError::Client {
                doing: "not delivered",
                source: error.clone(),
            }),
        };
        if result.is_ok() {
            self.link.up();
        }
        // Nobody listens any more only when the owner is gone, who then needs no answer.
        self.role.0.send(Delivery { sequence, result }).ok();
    }
}

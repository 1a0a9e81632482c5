//! Reading a stretch of a partition once, beside any group.

use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use rdkafka::{Message as _, Offset, TopicPartitionList};

use crate::client::{Context, Role};
use crate::error::KafkaError;
use crate::settings::KafkaSettings;

/// How long a broker may take to send anything.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for a message at a time.
const POLL: Duration = Duration::from_millis(100);

/// Reads what it is told to. Its calls block.
pub(crate) struct Reader {
    client: BaseConsumer<Context<Alone>>,
    brokers: String,
}

/// A client that shares nothing with others: its group is only a name that it may use.
pub(crate) struct Alone;

impl Role for Alone {}

impl ConsumerContext for Context<Alone> {}

impl Reader {
    /// A reader that is known to the broker by `client_id`, and may be in `group`, in which it
    /// never is.
    pub(crate) fn new(
        settings: &KafkaSettings,
        client_id: &str,
        group: &str,
    ) -> Result<Self, KafkaError> {
        let client = settings
            .client_config(client_id)
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error")
            .set("isolation.level", "read_committed")
            .set("enable.partition.eof", "true")
            .set("fetch.message.max.bytes", "262144")
            .set("queued.max.messages.kbytes", "4096")
            .create_with_context(Context::new(Alone))
            .map_err(KafkaError::doing("cannot make a Kafka consumer"))?;
        let brokers = settings.brokers();
        Ok(Self { client, brokers })
    }

    /// The partitions of a topic.
    pub(crate) fn partitions(&self, topic: &str) -> Result<Vec<i32>, KafkaError> {
        let metadata = self.client.fetch_metadata(Some(topic), TIMEOUT);
        let metadata = metadata.map_err(|error| self.unreachable(&error))?;
        let found = metadata.topics().first();
        let partitions = found.map(MetadataTopic::partitions).unwrap_or_default();
        if partitions.is_empty() {
            return Err(KafkaError::MissingTopic {
                topic: topic.to_owned(),
                brokers: self.brokers.clone(),
            });
        }
        Ok(partitions.iter().map(MetadataPartition::id).collect())
    }

    /// The offsets that a partition has.
    pub(crate) fn bounds(&self, topic: &str, partition: i32) -> Result<Range<i64>, KafkaError> {
        let bounds = self.client.fetch_watermarks(topic, partition, TIMEOUT);
        let (low, high) = bounds.map_err(|error| self.unreachable(&error))?;
        Ok(low..high)
    }

    /// Shows each message in `range`, as far as the partition has them, until `visit` breaks.
    pub(crate) fn read(
        &self,
        (topic, partition): (&str, i32),
        range: Range<i64>,
        mut visit: impl FnMut(&BorrowedMessage<'_>) -> ControlFlow<()>,
    ) -> Result<(), KafkaError> {
        let bounds = self.bounds(topic, partition)?;
        let (from, until) = (range.start.max(bounds.start), range.end.min(bounds.end));
        if from >= until {
            return Ok(());
        }
        self.assign(topic, partition, from)?;
        let mut heard = Instant::now();
        while heard.elapsed() < TIMEOUT {
            match self.client.poll(POLL) {
                None => {}
                Some(Ok(message)) => {
                    heard = Instant::now();
                    let offset = message.offset();
                    let enough = offset < until && visit(&message).is_break();
                    if enough || offset + 1 >= until {
                        return Ok(());
                    }
                }
                Some(Err(ClientError::PartitionEOF(_))) => return Ok(()),
                Some(Err(error)) => check(topic, &error)?,
            }
        }
        Err(self.unreachable(&"the broker sends nothing"))
    }

    fn assign(&self, topic: &str, partition: i32, from: i64) -> Result<(), KafkaError> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(from))
            .and_then(|()| self.client.assign(&list))
            .map_err(KafkaError::doing("cannot assign partitions"))
    }

    fn unreachable(&self, error: &dyn std::fmt::Display) -> KafkaError {
        let reason = self.client.context().link.current().trouble();
        KafkaError::Unreachable {
            brokers: self.brokers.clone(),
            reason: reason.unwrap_or_else(|| error.to_string()),
        }
    }
}

/// Whether an error will not go away.
fn check(topic: &str, error: &ClientError) -> Result<(), KafkaError> {
    match error.rdkafka_error_code() {
        Some(
            code @ (RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::AutoOffsetReset
            | RDKafkaErrorCode::UnknownTopicOrPartition),
        ) => Err(KafkaError::Topic {
            topic: topic.to_owned(),
            problem: format!("cannot be read: {code}"),
        }),
        _ => Ok(()),
    }
}

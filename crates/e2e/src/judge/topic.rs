//! What a topic holds.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::Headers as _;
use rdkafka::metadata::MetadataPartition;
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};

use crate::wait::DEADLINE;

/// A message as it is in the topic.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Where it is.
    pub partition: i32,
    /// Where it is there.
    pub offset: i64,
    /// Its key.
    pub key: Vec<u8>,
    /// Its value.
    pub payload: Vec<u8>,
    /// Its headers, as text.
    pub headers: Vec<(String, String)>,
}

/// Everything that is in a topic now, without joining any group.
pub fn messages(brokers: &str, topic: &str) -> anyhow::Result<Vec<Message>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "judge")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .create()?;
    let metadata = consumer.fetch_metadata(Some(topic), DEADLINE)?;
    let found = metadata.topics().first().context("no such topic")?;
    let mut unfinished: HashSet<i32> = found
        .partitions()
        .iter()
        .map(MetadataPartition::id)
        .collect();
    let mut list = TopicPartitionList::new();
    for partition in &unfinished {
        list.add_partition_offset(topic, *partition, Offset::Beginning)?;
    }
    consumer.assign(&list)?;
    let (mut messages, started) = (Vec::new(), Instant::now());
    while !unfinished.is_empty() {
        if started.elapsed() > DEADLINE {
            bail!("the end of {topic} was not reached");
        }
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => messages.push(detached(&message)),
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                unfinished.remove(&partition);
            }
            // The client gets over it by itself, or the deadline tells.
            Some(Err(_)) | None => {}
        }
    }
    Ok(messages)
}

fn detached(message: &rdkafka::message::BorrowedMessage<'_>) -> Message {
    let headers = message.headers().into_iter().flat_map(|all| all.iter());
    let text =
        |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    Message {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().unwrap_or_default().to_vec(),
        payload: message.payload().unwrap_or_default().to_vec(),
        headers: headers
            .map(|header| (header.key.to_owned(), text(header.value)))
            .collect(),
    }
}

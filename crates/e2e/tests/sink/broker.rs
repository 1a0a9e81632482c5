//! What a test does to its topics, as an operator would.

use anyhow::{Context as _, bail};
use e2e::World;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(30);

fn config(world: &World) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &world.environment["KAFKA_BROKERS"])
        .set("group.id", &world.environment["SINK_GROUP"]);
    config
}

pub(crate) fn topic(world: &World) -> &str {
    &world.environment["KAFKA_TOPIC"]
}

fn admin(world: &World) -> anyhow::Result<AdminClient<DefaultClientContext>> {
    Ok(config(world).create()?)
}

/// Sends values into a partition, in order.
pub(crate) async fn send(world: &World, partition: i32, values: &[Vec<u8>]) -> anyhow::Result<()> {
    let producer: FutureProducer = config(world).create()?;
    for value in values {
        let record = FutureRecord::<[u8], [u8]>::to(topic(world))
            .partition(partition)
            .payload(value);
        let sent = producer.send(record, TIMEOUT).await;
        sent.map_err(|(error, _)| error)?;
    }
    Ok(())
}

/// Deletes the topic of check events and makes it anew, empty.
pub(crate) async fn recreate(world: &World, partitions: i32) -> anyhow::Result<()> {
    let (admin, options) = (admin(world)?, AdminOptions::new());
    for deleted in admin.delete_topics(&[topic(world)], &options).await? {
        deleted.map_err(|(_, code)| code)?;
    }
    // Deletion goes on in the background.
    e2e::eventually("the topic is made anew", || async {
        let new = NewTopic::new(topic(world), partitions, TopicReplication::Fixed(1));
        let made = admin.create_topics(&[new], &options).await?;
        match made.into_iter().next().context("no answer")? {
            Ok(_) => Ok(Some(())),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => Ok(None),
            Err((_, code)) => bail!(code),
        }
    })
    .await?;
    let brokers = &world.environment["KAFKA_BROKERS"];
    e2e::topic::begins_empty(brokers, topic(world), partitions).await
}

/// Removes what partition 0 has before an offset, as retention does.
pub(crate) async fn expire(world: &World, before: i64) -> anyhow::Result<()> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic(world), 0, Offset::Offset(before))?;
    let deleted = admin(world)?
        .delete_records(&list, &AdminOptions::new())
        .await?;
    for element in deleted.elements() {
        element.error()?;
    }
    Ok(())
}

/// Commits an offset of partition 0 for the group of the sinks, none of which must be running.
pub(crate) fn commit(world: &World, offset: i64) -> anyhow::Result<()> {
    let consumer: BaseConsumer = config(world).create()?;
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic(world), 0, Offset::Offset(offset))?;
    Ok(consumer.commit(&list, CommitMode::Sync)?)
}

/// What the group has committed of partition 0.
pub(crate) fn committed(world: &World) -> anyhow::Result<Offset> {
    let consumer: BaseConsumer = config(world).create()?;
    let mut list = TopicPartitionList::new();
    list.add_partition(topic(world), 0);
    let list = consumer.committed_offsets(list, TIMEOUT)?;
    Ok(list.elements().first().context("no partition")?.offset())
}

/// Sets the size of the largest message that the dead-letter topic takes.
pub(crate) async fn limit_dead_letters(world: &World, bytes: &str) -> anyhow::Result<()> {
    let topic = format!("{}.dlq", topic(world));
    let change = AlterConfig::new(ResourceSpecifier::Topic(&topic)).set("max.message.bytes", bytes);
    let altered = admin(world)?
        .alter_configs(&[change], &AdminOptions::new())
        .await?;
    for altered in altered {
        altered.map_err(|(_, code)| code)?;
    }
    Ok(())
}

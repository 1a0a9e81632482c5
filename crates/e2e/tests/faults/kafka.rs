//! Faults of the broker itself, and of its topics.

use anyhow::ensure;
use e2e::judge::{Kept, canary};
use e2e::{Broker, Signal, eventually, judge};
use local_stack::Kafka;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use e2e::scene::{SITES, Scene, ended};

/// How many partitions a topic has here.
const PARTITIONS: i32 = 3;

fn admin(scene: &Scene) -> anyhow::Result<AdminClient<DefaultClientContext>> {
    let mut config = ClientConfig::new();
    Ok(config
        .set("bootstrap.servers", scene.broker.brokers())
        .create()?)
}

async fn delete_topic(scene: &Scene, topic: &str) -> anyhow::Result<()> {
    let deleted = admin(scene)?
        .delete_topics(&[topic], &AdminOptions::new())
        .await?;
    for topic in deleted {
        topic.map_err(|(topic, code)| anyhow::anyhow!("{topic}: {code}"))?;
    }
    Ok(())
}

/// Forgets all that the topic holds now, as retention does.
async fn forget_messages(scene: &Scene) -> anyhow::Result<()> {
    let mut all = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        let topic = &scene.world.environment["KAFKA_TOPIC"];
        all.add_partition_offset(topic, partition, Offset::End)?;
    }
    admin(scene)?
        .delete_records(&all, &AdminOptions::new())
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_broker_that_is_killed_or_frozen_or_restarted_leaves_no_hole() -> anyhow::Result<()> {
    let scene = Scene::on(Broker::start(1, Vec::new())?).await?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    scene.more_rows(SITES).await?;

    scene.broker.with(Kafka::kill)?;
    scene.checks(2 * SITES).await?;
    scene.broker.with(Kafka::restart)?;
    canary(&scene.world).await?;

    let signal = |signal| scene.broker.with(|kafka| kafka.process().signal(signal));
    signal(Signal::SIGSTOP)?;
    scene.checks(2 * SITES).await?;
    signal(Signal::SIGCONT)?;
    canary(&scene.world).await?;

    scene.broker.with(Kafka::restart)?;
    scene.verdict(checker, sink).await?;
    Ok(())
}

#[tokio::test]
async fn a_service_that_is_stopped_while_the_broker_is_frozen_ends_cleanly() -> anyhow::Result<()> {
    let scene = Scene::on(Broker::start(1, Vec::new())?).await?;
    let sink = scene.sink().await?;
    let checker = scene.checker().await?;
    scene.more_rows(SITES).await?;
    let signal = |signal| scene.broker.with(|kafka| kafka.process().signal(signal));
    signal(Signal::SIGSTOP)?;
    let stopped = sink.service.terminate().await;
    signal(Signal::SIGCONT)?;
    let (code, log) = stopped?;
    ensure!(code == Some(0), "{code:?}\n{log}");
    let sink = scene.sink().await?;
    scene.verdict(checker, sink).await?;
    Ok(())
}

#[tokio::test]
async fn offsets_that_are_lost_are_counted_anew() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    scene.more_rows(2 * SITES).await?;
    ended(sink).await?;
    let group = scene.world.environment["SINK_GROUP"].clone();
    let deleted = admin(&scene)?
        .delete_groups(&[&group], &AdminOptions::new())
        .await?;
    for group in deleted {
        group.map_err(|(group, code)| anyhow::anyhow!("{group}: {code}"))?;
    }
    let sink = scene.sink().await?;
    scene.verdict(checker, sink).await?;
    Ok(())
}

#[tokio::test]
async fn messages_that_retention_took_are_told_and_the_rest_is_stored() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    scene.more_rows(SITES).await?;
    ended(sink).await?;
    scene.checks(2 * SITES).await?;
    eventually("results wait in the topic", || async {
        let topic = &scene.world.environment["KAFKA_TOPIC"];
        let waiting = judge::messages(scene.broker.brokers(), topic)?.len();
        let stored = scene.world.rows().await?.len();
        Ok((waiting > stored + SITES).then_some(()))
    })
    .await?;
    forget_messages(&scene).await?;
    let sink = scene.sink().await?;
    sink.counts("sink_offset_gap_events_total", 1.0).await?;
    sink.service.logs("no longer has messages").await?;
    scene.verdict_of(checker, sink, Kept::Something).await?;
    Ok(())
}

#[tokio::test]
async fn a_topic_that_is_made_anew_is_read_from_its_beginning() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    scene.more_rows(3 * SITES).await?;
    let topic = scene.world.environment["KAFKA_TOPIC"].clone();
    delete_topic(&scene, &topic).await?;
    scene.checks(2 * SITES).await?;
    eventually("the topic can be made again", || async {
        let partitions = PARTITIONS.to_string();
        let made = scene
            .world
            .admin(&["topics", "create", "--partitions", &partitions])?;
        made.success().map(Some)
    })
    .await?;
    canary(&scene.world).await?;
    scene.verdict_of(checker, sink, Kept::Something).await?;
    Ok(())
}

#[tokio::test]
async fn poison_waits_for_its_topic_and_nothing_behind_it_is_lost() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    scene.more_rows(SITES).await?;
    let letters = format!("{}.dlq", scene.world.environment["KAFKA_TOPIC"]);
    delete_topic(&scene, &letters).await?;
    scene.world.send(&[b"poison".to_vec()]).await?;
    sink.service
        .is_not_ready_because(&["dead letters", &letters])
        .await?;
    eventually("the topic can be made again", || async {
        let made = scene
            .world
            .admin(&["topics", "create", "--partitions", "3"])?;
        made.success().map(Some)
    })
    .await?;
    scene.verdict(checker, sink).await?;
    let told = judge::messages(scene.broker.brokers(), &letters)?;
    let told = told
        .iter()
        .filter(|letter| letter.payload == b"poison")
        .count();
    ensure!(told >= 1, "the poison is not in {letters}");
    Ok(())
}

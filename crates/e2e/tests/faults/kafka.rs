//! Faults of the broker itself, and of its topics.

use anyhow::ensure;
use chrono::Utc;
use e2e::judge::{Kept, canary};
use e2e::{Broker, Signal, World, eventually, judge, raw};
use local_stack::Kafka;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use e2e::scene::{SITES, Scene, ended};

use crate::postgres::a_sink_waits;
use crate::sink::{lock, send};

const AUTHORIZER: &str = "org.apache.kafka.metadata.authorizer.StandardAuthorizer";

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
    ensure!(log.contains("left without goodbye"), "{log}");
    let sink = scene.sink().await?;
    scene.verdict(checker, sink).await?;
    Ok(())
}

#[tokio::test]
async fn a_sink_that_is_stopped_while_it_puts_poison_aside_ends_cleanly() -> anyhow::Result<()> {
    let scene = Scene::on(Broker::start(1, Vec::new())?).await?;
    let sink = scene.sink().await?;
    let locked = lock(&scene.world.database).await?;
    let event = World::event(99, Utc::now()).encode()?;
    scene.world.send(&[b"poison".to_vec(), event]).await?;
    a_sink_waits(&scene.world.database).await?;
    let signal = |signal| scene.broker.with(|kafka| kafka.process().signal(signal));
    signal(Signal::SIGSTOP)?;
    locked.rollback().await?;
    scene.world.stored(1).await?;
    let stopped = sink.service.terminate().await;
    signal(Signal::SIGCONT)?;
    let (code, log) = stopped?;
    ensure!(code == Some(0), "{code:?}\n{log}");
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    sink.counts("sink_dead_letters_total", 1.0).await?;
    scene.verdict(checker, sink).await?;
    Ok(())
}

#[tokio::test]
async fn topics_that_may_not_be_written_are_waited_for() -> anyhow::Result<()> {
    let settings = [
        ("authorizer.class.name", AUTHORIZER),
        ("allow.everyone.if.no.acl.found", "true"),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let scene = Scene::on(Broker::start(1, settings.into())?).await?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    scene.more_rows(SITES).await?;
    let (kafka, topic) = (
        scene.broker.brokers(),
        &scene.world.environment["KAFKA_TOPIC"],
    );
    let letters = format!("{topic}.dlq");
    raw::deny_writing(kafka, &letters)?;
    scene.world.send(&[b"poison".to_vec()]).await?;
    let refused = ["dead letters", &letters, "uthoriz"];
    sink.service.is_not_ready_because(&refused).await?;
    raw::deny_writing(kafka, topic)?;
    let refused = ["spool", "Kafka takes no results", "uthoriz"];
    checker.service.is_not_ready_because(&refused).await?;
    scene.checks(2 * SITES).await?;
    raw::forget_rights(kafka, topic)?;
    raw::forget_rights(kafka, &letters)?;
    canary(&scene.world).await?;
    sink.counts("sink_dead_letters_total", 1.0).await?;
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
async fn a_topic_that_is_made_anew_and_filled_before_the_sink_looks_loses_nothing_new()
-> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (world, topic) = (&scene.world, &scene.world.environment["KAFKA_TOPIC"]);
    let sink = scene.sink().await?;
    send(world, 0..300).await?;
    world.stored(300).await?;
    sink.service.signal(Signal::SIGSTOP)?;
    delete_topic(&scene, topic).await?;
    eventually("the topic can be made again", || async {
        let made = world.admin(&["topics", "create", "--partitions", "3"])?;
        made.success().map(Some)
    })
    .await?;
    e2e::topic::begins_empty(scene.broker.brokers(), topic, PARTITIONS).await?;
    // More than the one before had, so that all its offsets are there again.
    send(world, 300..1_500).await?;
    sink.service.signal(Signal::SIGCONT)?;
    world.stored(1_500).await?;
    judge::every_event_is_one_row(world, scene.broker.brokers(), Kept::Something).await?;
    ended(sink).await?;
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

//! Faults of the broker itself, and of its topics.

use anyhow::ensure;
use e2e::judge::canary;
use e2e::{Broker, Signal, eventually, judge};
use local_stack::Kafka;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;

use crate::scene::{SITES, Scene, ended};

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
async fn poison_waits_for_its_topic_and_nothing_behind_it_is_lost() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    scene.more_rows(SITES).await?;
    let letters = format!("{}.dlq", scene.world.environment["KAFKA_TOPIC"]);
    delete_topic(&scene, &letters).await?;
    scene.world.send(&[b"poison".to_vec()]).await?;
    sink.service.is_not_ready_because(&["kafka"]).await?;
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

//! Faults of the broker itself, and of its topics.

use e2e::judge::canary;
use e2e::{Broker, Signal};
use local_stack::Kafka;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;

use e2e::scene::{SITES, Scene, ended};

fn admin(scene: &Scene) -> anyhow::Result<AdminClient<DefaultClientContext>> {
    let mut config = ClientConfig::new();
    Ok(config
        .set("bootstrap.servers", scene.broker.brokers())
        .create()?)
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

//! Faults of the sink itself: it may die, freeze or be two at any moment.

use std::time::Duration;

use anyhow::ensure;
use chrono::{DateTime, TimeDelta, Utc};
use e2e::judge::Kept;
use e2e::scene::{Running, Scene};
use e2e::{Binary, Broker, Service, Signal, World, eventually, freeze_thread, judge};
use sqlx::PgPool;
use test_servers::Traffic;

use crate::postgres::a_sink_waits;

/// A world whose topic holds many events, one a site and second.
async fn backlog(events: i64) -> anyhow::Result<World> {
    let mut world = World::new().await?;
    // Whoever died is not waited for long.
    world.set("SINK_SESSION_TIMEOUT", "6s");
    send(&world, 0..events).await?;
    Ok(world)
}

pub(crate) async fn send(world: &World, numbers: std::ops::Range<i64>) -> anyhow::Result<()> {
    let start: DateTime<Utc> = Utc::now() - TimeDelta::hours(3);
    let event = |number: i64| {
        let at = start + TimeDelta::seconds(number / 50);
        World::event(number % 50 + 1, at).encode()
    };
    let messages: Vec<_> = numbers.map(event).collect::<Result<_, _>>()?;
    for part in messages.chunks(5_000) {
        world.send(part).await?;
    }
    Ok(())
}

async fn verdict(world: &World, sinks: Vec<Service>) -> anyhow::Result<()> {
    judge::every_event_is_one_row(world, &world.environment["KAFKA_BROKERS"], Kept::Everything)
        .await?;
    for sink in sinks {
        let (code, log) = sink.terminate().await?;
        ensure!(code == Some(0), "{code:?}\n{log}");
    }
    let rollups = judge::rollups_are_right(world).await?;
    ensure!(rollups > 0, "nothing was rolled up");
    Ok(())
}

/// Keeps everybody from writing rows until it is dropped.
pub(crate) async fn lock(
    database: &PgPool,
) -> anyhow::Result<sqlx::Transaction<'static, sqlx::Postgres>> {
    let mut transaction = database.begin().await?;
    sqlx::query("LOCK TABLE check_results IN SHARE ROW EXCLUSIVE MODE")
        .execute(&mut *transaction)
        .await?;
    Ok(transaction)
}

#[tokio::test]
async fn a_sink_that_is_killed_at_any_moment_stores_all_once() -> anyhow::Result<()> {
    let world = backlog(20_000).await?;
    for delay in [50, 200, 400, 600] {
        let sink = world.start(Binary::Sink)?;
        sink.logs("partitions assigned").await?;
        tokio::time::sleep(Duration::from_millis(delay)).await;
        sink.kill().await?;
    }
    let sink = world.start(Binary::Sink)?;
    verdict(&world, vec![sink]).await
}

#[tokio::test]
async fn a_sink_that_is_killed_in_a_transaction_leaves_nothing_of_it() -> anyhow::Result<()> {
    let world = backlog(1_000).await?;
    let locked = lock(&world.database).await?;
    let sink = world.start(Binary::Sink)?;
    a_sink_waits(&world.database).await?;
    sink.kill().await?;
    locked.rollback().await?;
    let sink = world.start(Binary::Sink)?;
    verdict(&world, vec![sink]).await
}

#[tokio::test]
async fn a_sink_that_is_killed_before_its_offsets_are_committed_stores_nothing_twice()
-> anyhow::Result<()> {
    let broker = Broker::shared()?;
    let (line, mut world) = (broker.line()?, World::bare().await?);
    world.set("KAFKA_BROKERS", broker.brokers());
    world.set("SINK_SESSION_TIMEOUT", "6s");
    world.prepare(3)?;
    send(&world, 0..1_000).await?;
    let locked = lock(&world.database).await?;
    let sink = world.start_with(Binary::Sink, &[("KAFKA_BROKERS", &line.brokers())])?;
    a_sink_waits(&world.database).await?;
    line.set(Traffic::Swallowed);
    locked.rollback().await?;
    eventually("something is stored", || async {
        Ok((!world.rows().await?.is_empty()).then_some(()))
    })
    .await?;
    sink.kill().await?;
    let sink = Running::when_ready(world.start(Binary::Sink)?).await?;
    sink.counts("sink_events_duplicate_total", 1.0).await?;
    verdict(&world, vec![sink.service]).await
}

#[tokio::test]
async fn two_sinks_of_one_partition_store_all_once() -> anyhow::Result<()> {
    let world = backlog(20_000).await?;
    let mut other = world.environment.clone();
    other.insert("SINK_GROUP".to_owned(), "another group".to_owned());
    let first = world.start(Binary::Sink)?;
    let second = Service::start(Binary::Sink, &[], &other)?;
    verdict(&world, vec![first, second]).await
}

#[tokio::test]
async fn a_sink_that_is_frozen_is_replaced_and_harms_nobody_when_it_wakes() -> anyhow::Result<()> {
    let world = backlog(1_000).await?;
    let locked = lock(&world.database).await?;
    let first = world.start(Binary::Sink)?;
    a_sink_waits(&world.database).await?;
    first.signal(Signal::SIGSTOP)?;
    locked.rollback().await?;
    let second = world.start(Binary::Sink)?;
    second.logs("partitions assigned").await?;
    send(&world, 1_000..2_000).await?;
    judge::every_event_is_one_row(
        &world,
        &world.environment["KAFKA_BROKERS"],
        Kept::Everything,
    )
    .await?;
    first.signal(Signal::SIGCONT)?;
    send(&world, 2_000..3_000).await?;
    verdict(&world, vec![first, second]).await
}

#[tokio::test]
async fn a_sink_that_does_not_poll_any_more_is_replaced_although_it_gives_signs_of_life()
-> anyhow::Result<()> {
    let world = backlog(1_000).await?;
    let first = Running::when_ready(world.start(Binary::Sink)?)
        .await?
        .service;
    world.stored(1_000).await?;
    let frozen = freeze_thread(first.id(), "kafka-poll")?;
    let second = world.start(Binary::Sink)?;
    second.logs("partitions assigned").await?;
    send(&world, 1_000..2_000).await?;
    world.stored(2_000).await?;
    drop(frozen);
    first.logs("partitions revoked").await?;
    send(&world, 2_000..3_000).await?;
    verdict(&world, vec![first, second]).await
}

#[tokio::test]
async fn sinks_that_come_and_go_store_all_once() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    for _ in 0..5 {
        let passing = scene.world.start(Binary::Sink)?;
        passing.logs("partitions assigned").await?;
        let (code, log) = passing.terminate().await?;
        ensure!(code == Some(0), "{code:?}\n{log}");
    }
    scene.verdict(checker, sink).await?;
    Ok(())
}

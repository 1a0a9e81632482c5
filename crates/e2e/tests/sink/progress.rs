//! Where the sink goes on: what a database has lost is read again, what a topic has lost is told,
//! and nothing is skipped.

use std::ops::Range;

use anyhow::{Context as _, ensure};
use chrono::Utc;
use e2e::{Binary, Service, Signal, World, eventually};
use rdkafka::Offset;
use sqlx::{Postgres, Transaction};

use super::{broker, metrics};

/// A world whose topic has one partition, so that events lie in the order in which they are sent.
async fn one_partition() -> anyhow::Result<World> {
    let world = World::bare().await?;
    world.prepare(1)?;
    Ok(world)
}

async fn send(world: &World, sites: Range<i64>) -> anyhow::Result<()> {
    let now = Utc::now();
    let events = sites.map(|site| World::event(site, now).encode());
    broker::send(world, 0, &events.collect::<Result<Vec<_>, _>>()?).await
}

/// What a failover to a standby does that the last transactions had not come to: the rows of sites
/// from 50 on are gone, and so is the record of the progress that was made with them.
async fn lose_commits(world: &World) -> anyhow::Result<()> {
    let lose = "WITH lost AS (DELETE FROM check_results WHERE site_id > 50)
        UPDATE sink_progress SET next_offset = 50";
    sqlx::query(lose).execute(&world.database).await?;
    Ok(())
}

async fn cut_connections(world: &World) -> anyhow::Result<()> {
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'sink' AND datname = current_database()";
    sqlx::query(cut).execute(&world.database).await?;
    Ok(())
}

#[tokio::test]
async fn what_the_database_lost_is_restored_by_a_running_sink() -> anyhow::Result<()> {
    let world = one_partition().await?;
    let sink = world.start_ready(Binary::Sink).await?;
    send(&world, 1..101).await?;
    world.stored(100).await?;
    // Only then does the sink itself know that it has stored them, and so can miss them.
    eventually("all of it is committed", || async {
        let committed = broker::committed(&world)?;
        Ok((committed == Offset::Offset(100)).then_some(()))
    })
    .await?;
    lose_commits(&world).await?;
    cut_connections(&world).await?;
    send(&world, 101..102).await?;
    ensure!(world.stored(101).await?.len() == 101);
    ensure!(metrics::value(&sink, "sink_rewinds_total")? >= 1.0);
    metrics::becomes(&sink, "sink_lag_events", 0.0).await
}

#[tokio::test]
async fn what_the_database_lost_is_restored_by_the_next_sink() -> anyhow::Result<()> {
    let world = one_partition().await?;
    send(&world, 1..101).await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    lose_commits(&world).await?;
    ensure!(world.rows().await?.len() == 50);
    ensure!(broker::committed(&world)? == Offset::Offset(100));
    world.run(Binary::Sink, &["--once"])?.success()?;
    ensure!(world.rows().await?.len() == 100);
    Ok(())
}

#[tokio::test]
async fn a_new_database_gets_all_that_the_topic_still_has() -> anyhow::Result<()> {
    let world = one_partition().await?;
    send(&world, 1..11).await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    let forget = "WITH lost AS (DELETE FROM check_results) DELETE FROM sink_progress";
    sqlx::query(forget).execute(&world.database).await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    ensure!(world.rows().await?.len() == 10);
    Ok(())
}

#[tokio::test]
async fn a_topic_that_was_made_anew_is_read_from_its_beginning() -> anyhow::Result<()> {
    let world = one_partition().await?;
    send(&world, 1..21).await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    broker::recreate(&world, 1).await?;
    // The ledger says 20, and nothing is committed any more.
    send(&world, 21..31).await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    ensure!(world.rows().await?.len() == 30);

    // Now something is committed that the new topic never had.
    broker::recreate(&world, 1).await?;
    broker::commit(&world, 20)?;
    send(&world, 31..36).await?;
    let sink = world.run(Binary::Sink, &["--once"])?;
    ensure!(sink.stderr.contains("made anew"), "{}", sink.stderr);
    ensure!(world.rows().await?.len() == 35);
    Ok(())
}

#[tokio::test]
async fn messages_that_expired_while_no_sink_ran_are_counted() -> anyhow::Result<()> {
    let world = one_partition().await?;
    send(&world, 1..11).await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    send(&world, 11..31).await?;
    broker::expire(&world, 15).await?;
    let sink = world.start_ready(Binary::Sink).await?;
    world.stored(25).await?;
    gap_is_told(&sink, 5.0).await
}

#[tokio::test]
async fn messages_that_expire_under_a_running_sink_are_counted() -> anyhow::Result<()> {
    let world = one_partition().await?;
    let sink = world.start_ready(Binary::Sink).await?;
    send(&world, 1..11).await?;
    world.stored(10).await?;

    // One event is on its way to the database when the gap shows, and one waits behind it.
    let lock = hold_up_storing(&world).await?;
    send(&world, 11..12).await?;
    storing_is_held_up(&world).await?;
    send(&world, 12..13).await?;
    metrics::becomes(&sink, "sink_lag_events", 2.0).await?;

    sink.signal(Signal::SIGSTOP)?;
    send(&world, 13..101).await?;
    broker::expire(&world, 95).await?;
    send(&world, 101..111).await?;
    sink.signal(Signal::SIGCONT)?;
    sink.logs("an offset is not in the topic").await?;
    lock.rollback().await?;

    let sites = eventually("the last is stored", || async {
        let sites = sites(&world).await?;
        Ok((sites.last() == Some(&110)).then_some(sites))
    })
    .await?;
    // The request that was under way may have got the first of what has expired since.
    let lost: Vec<_> = (1..111).filter(|site| !sites.contains(site)).collect();
    let first = *lost.first().context("nothing is lost")?;
    ensure!(first > 12 && lost.iter().copied().eq(first..96), "{lost:?}");
    gap_is_told(&sink, f64::from(u8::try_from(lost.len())?)).await
}

/// Until the end of the transaction, no row is stored.
async fn hold_up_storing(world: &World) -> anyhow::Result<Transaction<'static, Postgres>> {
    let mut lock = world.database.begin().await?;
    sqlx::query("LOCK TABLE check_results IN SHARE MODE")
        .execute(&mut *lock)
        .await?;
    Ok(lock)
}

async fn storing_is_held_up(world: &World) -> anyhow::Result<()> {
    eventually("the sink waits for the lock", || async {
        let waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity
            WHERE application_name = 'sink' AND datname = current_database()
                AND wait_event_type = 'Lock')";
        let waits: bool = sqlx::query_scalar(waiting)
            .fetch_one(&world.database)
            .await?;
        Ok(waits.then_some(()))
    })
    .await
}

/// The sites of which something is stored, in order.
async fn sites(world: &World) -> anyhow::Result<Vec<i64>> {
    let sites = sqlx::query_scalar("SELECT DISTINCT site_id FROM checks ORDER BY site_id");
    Ok(sites.fetch_all(&world.database).await?)
}

async fn gap_is_told(sink: &Service, messages: f64) -> anyhow::Result<()> {
    sink.logs("the topic no longer has messages that were not stored")
        .await?;
    metrics::becomes(sink, "sink_offset_gaps_total", 1.0).await?;
    metrics::becomes(sink, "sink_offset_gap_events_total", messages).await
}

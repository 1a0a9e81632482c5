//! From sites to rows: every slot of every site becomes exactly one row, whatever is restarted.

use std::time::Duration;

use anyhow::ensure;
use chrono::{TimeDelta, Utc};
use e2e::{Answer, Binary, Target, World, eventually};
use local_stack::{Kafka, KafkaOptions, Postgres, PostgresOptions};
use serde_json::{Value, json};

/// Sites of all kinds of outcomes, each at an interval of its own.
fn sites(target: &Target) -> Vec<Value> {
    vec![
        json!({"name": "up", "url": target.url("/ok"), "interval": "1s", "content_regex": "hello"}),
        json!({"name": "missing", "url": target.url("/nowhere"), "interval": "1500ms"}),
        json!({"name": "wrong", "url": target.url("/ok"), "interval": "1s", "content_regex": "bye"}),
        json!({"name": "refused", "url": "http://127.0.0.1:1/", "interval": "2s"}),
    ]
}

fn target() -> anyhow::Result<Target> {
    Target::start(&[("/ok", Answer::ok("hello"))])
}

/// Waits until every site has at least `count` rows.
async fn slots_stored(world: &World, sites: usize, count: usize) -> anyhow::Result<()> {
    eventually(
        &format!("{count} rows of each of {sites} sites"),
        || async {
            let stored = world.assert_gapless().await?;
            let enough = stored.len() == sites && stored.values().all(|rows| *rows >= count);
            ensure!(enough, "{stored:?}");
            Ok(Some(()))
        },
    )
    .await
}

#[tokio::test]
async fn every_slot_becomes_one_row_while_the_sink_is_restarted() -> anyhow::Result<()> {
    let (world, target) = (World::bare().await?, target()?);
    world.prepare(50)?;
    world.import(&sites(&target))?;
    let checker = world.start_ready(Binary::Checker).await?;
    let sink = world.start_ready(Binary::Sink).await?;
    slots_stored(&world, 4, 2).await?;
    let (code, log) = sink.terminate().await?;
    ensure!(code == Some(0), "{log}");

    let before = target.hits("/ok");
    eventually("checks go on without a sink", || async {
        Ok((target.hits("/ok") > before + 4).then_some(()))
    })
    .await?;
    let _sink = world.start_ready(Binary::Sink).await?;
    slots_stored(&world, 4, 5).await?;
    let (code, log) = checker.terminate().await?;
    ensure!(code == Some(0), "{log}");
    eventually("every check of the target is a row", || async {
        let rows = world.rows().await?;
        let asked = |row: &&e2e::Row| {
            matches!(row.site.as_deref(), Some("up" | "wrong")) && !is_of_the_stop(row)
        };
        let stored = rows.iter().filter(asked).count();
        ensure!(
            stored == target.hits("/ok"),
            "{stored} rows, {} requests",
            target.hits("/ok")
        );
        Ok(Some(()))
    })
    .await?;
    world.assert_gapless().await?;
    outcomes_are_as_expected(&world).await
}

/// A slot that came due while the checker stopped is told as missed.
fn is_of_the_stop(row: &e2e::Row) -> bool {
    row.failure.as_deref() == Some("not_running")
}

async fn outcomes_are_as_expected(world: &World) -> anyhow::Result<()> {
    for row in world.rows().await? {
        if is_of_the_stop(&row) {
            continue;
        }
        let expected = match row.site.as_deref() {
            Some("up") => ("up", None),
            Some("missing") => ("down", Some("unexpected_status")),
            Some("wrong") => ("down", Some("content_unmatched")),
            Some("refused") => ("down", Some("connection_refused")),
            other => anyhow::bail!("a row of {other:?}"),
        };
        ensure!(
            (row.outcome.as_str(), row.failure.as_deref()) == expected,
            "{row:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn every_slot_becomes_one_row_while_broker_and_database_are_restarted() -> anyhow::Result<()>
{
    let mut kafka = Kafka::start(KafkaOptions::default())?;
    let mut postgres = Postgres::start(PostgresOptions::default())?;
    let (world, target) = (
        World::on(&postgres.url(), &kafka.brokers()).await?,
        target()?,
    );
    world.prepare(3)?;
    world.import(&sites(&target))?;
    let checker = world.start_ready(Binary::Checker).await?;
    let sink = world.start_ready(Binary::Sink).await?;
    slots_stored(&world, 4, 2).await?;

    kafka.stop()?;
    sink.is_not_ready_because(&["kafka"]).await?;
    let before = target.hits("/ok");
    eventually("checks go on without a broker", || async {
        Ok((target.hits("/ok") > before + 4).then_some(()))
    })
    .await?;
    kafka.restart()?;
    slots_stored(&world, 4, 6).await?;

    postgres.stop()?;
    sink.is_not_ready_because(&["database"]).await?;
    postgres.restart()?;
    sink.is_ready().await?;
    let before = world.assert_gapless().await?;
    let most = before.values().max().copied().unwrap_or_default();
    slots_stored(&world, 4, most + 1).await?;
    for service in [checker, sink] {
        let (code, log) = service.terminate().await?;
        ensure!(code == Some(0), "{log}");
    }
    Ok(())
}

#[tokio::test]
async fn five_messages_of_one_poll_are_five_rows() -> anyhow::Result<()> {
    let world = World::new().await?;
    let now = Utc::now();
    let events: Vec<_> = (0..5)
        .map(|n| World::event(7, now - TimeDelta::seconds(n)))
        .collect();
    let messages: Vec<_> = events
        .iter()
        .map(monitor_core::CheckEvent::encode)
        .collect::<Result<_, _>>()?;
    world.send(&messages).await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    ensure!(world.rows().await?.len() == 5);

    // The same again: delivered twice, stored once.
    world.send(&messages).await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    ensure!(world.rows().await?.len() == 5);
    Ok(())
}

#[tokio::test]
async fn what_is_sent_while_the_sink_is_down_is_stored_when_it_returns() -> anyhow::Result<()> {
    let world = World::new().await?;
    let sink = world.start_ready(Binary::Sink).await?;
    let now = Utc::now();
    world.send(&[World::event(1, now).encode()?]).await?;
    world.stored(1).await?;
    sink.terminate().await?;
    let later: Vec<_> = (2..=100)
        .map(|id| World::event(id, now).encode())
        .collect::<Result<_, _>>()?;
    world.send(&later).await?;
    let _sink = world.start_ready(Binary::Sink).await?;
    ensure!(world.stored(100).await?.len() == 100);
    Ok(())
}

#[tokio::test]
async fn once_checks_every_site_one_time_and_delivers() -> anyhow::Result<()> {
    let (world, target) = (World::new().await?, target()?);
    world.import(&sites(&target))?;
    let run = world.run(Binary::Checker, &["--once"])?;
    ensure!(run.code == Some(0), "{}", run.stderr);
    world.run(Binary::Sink, &["--once"])?.success()?;
    ensure!(world.rows().await?.len() == 4, "{:?}", world.rows().await?);
    outcomes_are_as_expected(&world).await
}

#[tokio::test]
async fn a_changed_list_of_sites_reaches_a_running_checker() -> anyhow::Result<()> {
    let world = World::new().await?;
    let target = Target::start(&[("/a", Answer::ok("")), ("/b", Answer::ok(""))])?;
    let site = |path: &str| json!({"name": path, "url": target.url(path), "interval": "1s"});
    world.import(&[site("/a")])?;
    let _checker = world.start_ready(Binary::Checker).await?;
    let _sink = world.start_ready(Binary::Sink).await?;
    eventually("the first site is checked", || async {
        Ok((target.hits("/a") > 0).then_some(()))
    })
    .await?;
    world.import(&[site("/b")])?;
    eventually("the new site is checked", || async {
        Ok((target.hits("/b") > 1).then_some(()))
    })
    .await?;
    let removed_at = target.hits("/a");
    tokio::time::timeout(Duration::from_secs(30), async {
        let more = target.hits("/b") + 3;
        eventually("the new site is checked on", || async {
            Ok((target.hits("/b") > more).then_some(()))
        })
        .await
    })
    .await??;
    ensure!(
        target.hits("/a") <= removed_at,
        "the removed site is still checked"
    );
    Ok(())
}

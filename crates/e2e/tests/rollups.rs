//! Rollups through the real programs.

use anyhow::ensure;
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use e2e::{Binary, World, eventually};
use monitor_core::CheckEvent;

/// The begin of an hour that was over `ago` hours before now.
fn hour(ago: i64) -> anyhow::Result<DateTime<Utc>> {
    Ok((Utc::now() - TimeDelta::hours(ago + 1)).duration_trunc(TimeDelta::hours(1))?)
}

fn missed(count: i64, begin: DateTime<Utc>) -> anyhow::Result<Vec<Vec<u8>>> {
    let at = |minute| World::event(7, begin + TimeDelta::minutes(minute));
    let events = (0..count).map(at);
    Ok(events
        .map(|event: CheckEvent| event.encode())
        .collect::<Result<_, _>>()?)
}

/// How many checks the hours from `begin` on have, in the view for people.
async fn rolled_up(world: &World, begin: DateTime<Utc>) -> anyhow::Result<Vec<i32>> {
    let hours = sqlx::query_scalar(
        "SELECT missed FROM site_uptime_hourly WHERE site_id = 7 AND region = 'local' AND hour >= $1
        ORDER BY hour",
    );
    Ok(hours.bind(begin).fetch_all(&world.database).await?)
}

#[tokio::test]
async fn a_sink_rolls_up_what_is_over_and_what_comes_late() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (first, second) = (hour(26)?, hour(25)?);
    world.send(&missed(5, first)?).await?;
    world.send(&missed(3, second)?).await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    ensure!(rolled_up(&world, first).await? == [5, 3]);

    world.send(&missed(60, first)?).await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    ensure!(rolled_up(&world, first).await? == [60, 3]);
    let days: i64 = sqlx::query_scalar("SELECT sum(missed) FROM site_uptime_daily")
        .fetch_one(&world.database)
        .await?;
    ensure!(days == 63, "{days}");

    let told = world.admin(&["rollups", "rebuild"])?.success()?;
    ensure!(told.contains("63 checks read, 2 rows of hours"), "{told}");
    ensure!(rolled_up(&world, first).await? == [60, 3]);
    Ok(())
}

#[tokio::test]
async fn a_running_sink_makes_partitions_ahead_and_tells_how_far_the_rollups_are()
-> anyhow::Result<()> {
    let mut world = World::new().await?;
    // The topic keeps its events for a week.
    world.set("RETENTION_RAW", "7d");
    let sink = world.start(Binary::Sink)?;
    eventually("the rollups are told", || async {
        let (_, metrics) = sink.get("/metrics")?;
        let told = [
            "sink_rollup_age_seconds",
            "sink_dirty_hours 0",
            "sink_maintenance_active 1",
        ];
        Ok(told.iter().all(|name| metrics.contains(name)).then_some(()))
    })
    .await?;
    let ahead: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'check_results'::regclass",
    )
    .fetch_one(&world.database)
    .await?;
    ensure!(ahead == 8, "{ahead} partitions");
    let log = sink.log();
    ensure!(log.contains("the topic keeps events for 7days"), "{log}");
    Ok(())
}

#[tokio::test]
async fn a_sink_that_cannot_maintain_says_why_and_stores_all_the_same() -> anyhow::Result<()> {
    let world = World::new().await?;
    sqlx::raw_sql("ALTER TABLE rollup_progress RENAME TO somewhere_else")
        .execute(&world.database)
        .await?;
    let sink = world.start(Binary::Sink)?;
    eventually("the trouble is told", || async {
        let (code, reasons) = sink.get("/readyz")?;
        let told =
            code == 503 && reasons.contains("maintenance") && reasons.contains("rollup_progress");
        Ok(told.then_some(()))
    })
    .await?;
    world.send(&missed(2, hour(1)?)?).await?;
    world.stored(2).await?;
    Ok(())
}

#[tokio::test]
async fn a_rebuild_without_anything_to_do_says_so() -> anyhow::Result<()> {
    let world = World::new().await?;
    let told = world
        .admin(&["rollups", "rebuild", "--from", "2d"])?
        .success()?;
    ensure!(told.contains("nothing to rebuild"), "{told}");
    Ok(())
}

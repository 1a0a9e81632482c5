//! A database that answers with errors, each of which calls for something else.

use std::ops::Range;

use anyhow::ensure;
use chrono::{DateTime, TimeDelta, Utc};
use e2e::{Binary, World};

use super::metrics;

fn events(sites: Range<i64>) -> anyhow::Result<Vec<Vec<u8>>> {
    let now = Utc::now();
    let events = sites.map(|site| World::event(site, now).encode());
    Ok(events.collect::<Result<_, _>>()?)
}

async fn run(world: &World, sql: &'static str) -> anyhow::Result<()> {
    sqlx::raw_sql(sql).execute(&world.database).await?;
    Ok(())
}

/// The database says, as it does when time is up, that more than ten rows take too long.
const SLOW: &str = "
    CREATE FUNCTION too_slow() RETURNS TRIGGER LANGUAGE plpgsql AS $$
    BEGIN
        IF (SELECT count(*) FROM rows) > 10 THEN
            RAISE EXCEPTION 'too slow' USING ERRCODE = 'query_canceled';
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER too_slow AFTER INSERT ON check_results
        REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION too_slow()";

#[tokio::test]
async fn what_takes_too_long_is_stored_in_smaller_portions() -> anyhow::Result<()> {
    let world = World::new().await?;
    run(&world, SLOW).await?;
    world.send(&events(1..101)?).await?;
    let sink = world.run(Binary::Sink, &["--once"])?;
    ensure!(sink.code == Some(0), "{}", sink.stderr);
    ensure!(
        sink.stderr.contains("storing half at a time"),
        "{}",
        sink.stderr
    );
    ensure!(world.rows().await?.len() == 100);
    Ok(())
}

#[tokio::test]
async fn a_right_that_is_missing_stops_the_sink_until_it_is_granted() -> anyhow::Result<()> {
    let world = World::new().await?;
    let sink = world.start_ready(Binary::Sink).await?;
    run(&world, "ALTER TABLE site_state RENAME TO site_state_away").await?;
    world.send(&events(1..11)?).await?;
    sink.is_not_ready_because(&["database", "site_state", "put right"])
        .await?;
    ensure!(world.rows().await?.is_empty());
    run(&world, "ALTER TABLE site_state_away RENAME TO site_state").await?;
    ensure!(world.stored(10).await?.len() == 10);
    sink.is_ready().await
}

#[tokio::test]
async fn a_partition_that_is_missing_is_made() -> anyhow::Result<()> {
    let world = World::new().await?;
    let sink = world.start_ready(Binary::Sink).await?;
    // So long ago that nobody has made its day, and not so long that maintenance drops it at once.
    let long_ago = Utc::now() - TimeDelta::days(20);
    ensure!(!day_exists(&world, long_ago).await?);
    world.send(&[World::event(1, long_ago).encode()?]).await?;
    world.stored(1).await?;
    ensure!(day_exists(&world, long_ago).await?);
    ensure!(metrics::value(&sink, "sink_dead_letters_total")? < 1.0);
    Ok(())
}

/// Whether there is a partition for the day of a time.
async fn day_exists(world: &World, time: DateTime<Utc>) -> anyhow::Result<bool> {
    let partition = time.format("check_results_%Y%m%d").to_string();
    let exists = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL");
    Ok(exists.bind(partition).fetch_one(&world.database).await?)
}

#[tokio::test]
async fn a_database_that_refuses_everything_does_not_drain_the_topic() -> anyhow::Result<()> {
    let world = World::new().await?;
    let sink = world.start_ready(Binary::Sink).await?;
    let refuse = "ALTER TABLE check_results ADD CONSTRAINT nothing CHECK (site_id < 0) NOT VALID";
    run(&world, refuse).await?;
    world.send(&events(1..401)?).await?;
    sink.is_not_ready_because(&["database", "too many events are refused", "nothing"])
        .await?;
    run(&world, "ALTER TABLE check_results DROP CONSTRAINT nothing").await?;
    sink.is_ready().await?;
    let tolerated = 100;
    ensure!(world.stored(400 - tolerated).await?.len() == 400 - tolerated);
    metrics::becomes(&sink, "sink_dead_letters_total", 100.0).await
}

//! Several sinks, and partitions that change hands.

use std::ops::Range;

use anyhow::ensure;
use chrono::Utc;
use e2e::{Binary, Signal, World, eventually};

use super::broker;

async fn send(world: &World, sites: Range<i64>) -> anyhow::Result<()> {
    let now = Utc::now();
    let events = sites.map(|site| World::event(site, now).encode());
    world.send(&events.collect::<Result<Vec<_>, _>>()?).await
}

#[tokio::test]
async fn partitions_that_change_hands_in_the_middle_of_batches_lose_nothing() -> anyhow::Result<()>
{
    let mut world = World::new().await?;
    world.set("SINK_BATCH_MAX_EVENTS", "100");
    let first = world.start_ready(Binary::Sink).await?;
    for round in 0..3 {
        let second = world.start(Binary::Sink)?;
        send(&world, round * 2000 + 1..round * 2000 + 1001).await?;
        second.logs("partitions assigned").await?;
        send(&world, round * 2000 + 1001..round * 2000 + 2001).await?;
        let (code, log) = second.terminate().await?;
        ensure!(code == Some(0), "{log}");
    }
    ensure!(world.stored(6000).await?.len() == 6000);
    let (code, log) = first.terminate().await?;
    ensure!(code == Some(0), "{log}");

    // Of two batches on their way at once, the later does not vouch for the earlier: the ledger may
    // end a little behind. What it does not have is read again, and changes nothing.
    eventually("the ledger has all of it", || async {
        let once = world.run(Binary::Sink, &["--once"])?;
        ensure!(once.code == Some(0), "{}", once.stderr);
        let says: i64 = sqlx::query_scalar("SELECT sum(next_offset)::BIGINT FROM sink_progress")
            .fetch_one(&world.database)
            .await?;
        ensure!(says == 6000, "it says {says}");
        Ok(Some(()))
    })
    .await?;
    ensure!(world.rows().await?.len() == 6000);
    Ok(())
}

#[tokio::test]
async fn a_sink_that_was_thought_dead_does_no_harm() -> anyhow::Result<()> {
    let mut world = World::bare().await?;
    world.prepare(1)?;
    world.set("SINK_SESSION_TIMEOUT", "6s");
    let events = |sites: Range<i64>| {
        let now = Utc::now();
        let events = sites.map(|site| World::event(site, now).encode());
        events.collect::<Result<Vec<_>, _>>()
    };
    let frozen = world.start_ready(Binary::Sink).await?;
    broker::send(&world, 0, &events(1..11)?).await?;
    world.stored(10).await?;
    frozen.signal(Signal::SIGSTOP)?;
    broker::send(&world, 0, &events(11..61)?).await?;
    let heir = world.start_ready(Binary::Sink).await?;
    world.stored(60).await?;

    frozen.signal(Signal::SIGCONT)?;
    broker::send(&world, 0, &events(61..111)?).await?;
    ensure!(world.stored(110).await?.len() == 110);
    for sink in [frozen, heir] {
        let (code, log) = sink.terminate().await?;
        ensure!(code == Some(0), "{log}");
    }
    Ok(())
}

//! Slots are accounted for whatever keeps a checker from its checks.

use anyhow::ensure;
use e2e::{Answer, Binary, Row, Target, World, eventually};
use serde_json::{Value, json};

fn sites(count: usize, url: &str, interval: &str) -> Vec<Value> {
    let site = |number| json!({"name": format!("{number}"), "url": url, "interval": interval});
    (0..count).map(site).collect()
}

fn failures<'a>(rows: &'a [Row], kind: &str) -> Vec<&'a Row> {
    let of_kind = |row: &&Row| row.failure.as_deref() == Some(kind);
    rows.iter().filter(of_kind).collect()
}

#[tokio::test]
async fn a_slow_host_delays_nobody_else() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let target = Target::start(&[("/", Answer::ok(""))])?;
    let slow = Target::start(&[])?;
    slow.set_silent(true);
    let mut all = sites(60, &slow.url("/"), "2s");
    let quick = target.url("/").replace("127.0.0.1", "localhost");
    all.push(json!({"name": "quick", "url": quick, "interval": "1s"}));
    world.import(&all)?;
    world.set("CHECKER_MAX_IN_FLIGHT", "10");
    world.set("CHECKER_MAX_PER_HOST", "5");
    let _checker = world.start_ready(Binary::Checker).await?;
    let _sink = world.start_ready(Binary::Sink).await?;
    let rows = eventually(
        "the slow sites are overloaded, the quick one is not",
        || async {
            let rows = world.rows().await?;
            let quick = rows
                .iter()
                .filter(|row| row.site.as_deref() == Some("quick"))
                .count();
            let enough = quick >= 5 && failures(&rows, "overloaded").len() >= 60;
            ensure!(enough, "{quick} of the quick site");
            Ok(Some(rows))
        },
    )
    .await?;
    world.assert_gapless().await?;
    let quick: Vec<_> = rows
        .iter()
        .filter(|row| row.site.as_deref() == Some("quick"))
        .collect();
    ensure!(quick.iter().all(|row| row.outcome == "up"), "{quick:#?}");
    ensure!(!failures(&rows, "first_byte_timeout").is_empty());
    Ok(())
}

#[tokio::test]
async fn the_slots_between_a_crash_and_the_next_start_are_told_as_missed() -> anyhow::Result<()> {
    let world = World::new().await?;
    let target = Target::start(&[("/", Answer::ok(""))])?;
    world.import(&sites(3, &target.url("/"), "1s"))?;
    let _sink = world.start_ready(Binary::Sink).await?;
    let checker = world.start_ready(Binary::Checker).await?;
    world.stored(9).await?;
    drop(checker);
    let stopped = chrono::Utc::now();
    eventually("some slots go by", || async {
        Ok((chrono::Utc::now() - stopped > chrono::TimeDelta::seconds(3)).then_some(()))
    })
    .await?;
    let checker = world.start_ready(Binary::Checker).await?;
    eventually("every slot has its row", || async {
        let rows = world.rows().await?;
        let missed = failures(&rows, "not_running").len();
        ensure!(missed >= 6, "{missed} missed");
        let checked_again = rows
            .iter()
            .any(|row| row.outcome == "up" && row.scheduled_at > stopped);
        ensure!(checked_again, "not yet checked again");
        Ok(Some(()))
    })
    .await?;
    checker.terminate().await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    world.assert_gapless().await?;
    Ok(())
}

#[tokio::test]
async fn sites_that_all_begin_to_fail_at_once_are_marked_suspect() -> anyhow::Result<()> {
    let world = World::new().await?;
    let target = Target::start(&[("/", Answer::ok(""))])?;
    world.import(&sites(12, &target.url("/"), "1s"))?;
    let checker = world.start_ready(Binary::Checker).await?;
    let _sink = world.start_ready(Binary::Sink).await?;
    eventually("every site is up", || async {
        let rows = world.rows().await?;
        let up: std::collections::BTreeSet<_> = rows.iter().map(|row| &row.site).collect();
        Ok((up.len() == 12 && rows.iter().all(|row| row.outcome == "up")).then_some(()))
    })
    .await?;
    target.set_silent(true);
    checker
        .is_not_ready_because(&["network", "fail at once"])
        .await?;
    eventually("suspect rows are stored", || async {
        let suspect: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM checks WHERE suspect AND failure_kind = 'first_byte_timeout'",
        )
        .fetch_one(&world.database)
        .await?;
        Ok((suspect > 0).then_some(()))
    })
    .await?;
    target.set_silent(false);
    checker.is_ready().await?;
    Ok(())
}

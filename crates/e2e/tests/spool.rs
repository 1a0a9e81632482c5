//! Results are safe in the spool until Kafka has them: through outages, kills, damage and a full disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use e2e::{Answer, Binary, Row, Service, Target, World, eventually};
use local_stack::{Kafka, KafkaOptions};
use monitor_core::{CheckEvent, Outcome};
use monitor_spool::{Limits, Most, Spool};
use serde_json::{Value, json};

/// Nobody listens there.
const NO_BROKER: &str = "127.0.0.1:1";

fn sites(count: usize, url: &str) -> Vec<Value> {
    let site = |number| json!({"name": format!("{number}"), "url": url, "interval": "1s"});
    (0..count).map(site).collect()
}

fn target() -> anyhow::Result<Target> {
    Target::start(&[("/", Answer::ok(""))])
}

fn spool_file(world: &World) -> PathBuf {
    PathBuf::from(&world.environment["CHECKER_SPOOL_DIR"]).join("local.spool")
}

/// What a checker that runs no more has left in its spool.
fn spooled(world: &World) -> anyhow::Result<Vec<CheckEvent>> {
    let limits = Limits {
        bytes: u64::MAX,
        records: u64::MAX,
    };
    let everything = Most {
        records: usize::MAX,
        bytes: u64::MAX,
    };
    let records = Spool::open(&spool_file(world), limits)?
        .spool
        .read(0, everything)?;
    let event = |bytes: &[u8]| {
        let json = bytes
            .iter()
            .position(|byte| *byte == b'{')
            .context("no event")?;
        Ok(CheckEvent::decode(&bytes[json..])?)
    };
    records.iter().map(|record| event(&record.bytes)).collect()
}

fn metric(service: &Service, name: &str) -> anyhow::Result<f64> {
    let (_, page) = service.get("/metrics")?;
    let mut values = page
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(values.next().map_or(Ok(0.0), str::parse)?)
}

async fn reaches(service: &Service, name: &str, least: f64) -> anyhow::Result<()> {
    eventually(&format!("{name} reaches {least}"), || async {
        let value = metric(service, name)?;
        ensure!(value >= least, "{value}");
        Ok(Some(()))
    })
    .await
}

/// Every one of these results is the row of its slot. One that was merely missed may have been
/// checked after all: whoever tells it as missed does not know.
fn are_rows(events: &[CheckEvent], rows: &[Row]) -> anyhow::Result<()> {
    let mut outcomes: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in rows {
        outcomes
            .entry(row.scheduled_at)
            .or_default()
            .push(&row.outcome);
    }
    for event in events {
        let missed = event.outcome == Outcome::Missed;
        let same = |outcome: &&&String| missed || ***outcome == event.outcome.to_string();
        let there = outcomes
            .get(&event.scheduled_at)
            .and_then(|all| all.iter().find(same));
        ensure!(there.is_some(), "no row of {event:?}");
    }
    Ok(())
}

async fn stops_cleanly(service: Service) -> anyhow::Result<String> {
    let (code, log) = service.terminate().await?;
    ensure!(code == Some(0), "{code:?}\n{log}");
    Ok(log)
}

#[tokio::test]
async fn no_result_is_lost_while_kafka_is_away_at_the_start_and_in_the_middle() -> anyhow::Result<()>
{
    let mut kafka = Kafka::start(KafkaOptions::default())?;
    let (world, target) = (World::with_kafka(&kafka.brokers()).await?, target()?);
    world.prepare(3)?;
    world.import(&sites(3, &target.url("/")))?;
    kafka.stop()?;

    let checker = world.start(Binary::Checker)?;
    checker.is_not_ready_because(&["kafka"]).await?;
    reaches(&checker, "checker_spool_results", 9.0).await?;
    kafka.restart()?;
    checker.is_ready().await?;
    let _sink = world.start_ready(Binary::Sink).await?;
    world.stored(20).await?;

    kafka.kill()?;
    reaches(&checker, "checker_spool_results", 12.0).await?;
    kafka.restart()?;
    checker.is_ready().await?;
    stops_cleanly(checker).await?;
    ensure!(spooled(&world)?.is_empty());
    world.stored(target.hits("/")).await?;
    let rows = world.rows().await?;
    ensure!(
        rows.len() == target.hits("/"),
        "{} of {}",
        rows.len(),
        target.hits("/")
    );
    ensure!(rows.iter().all(|row| row.outcome == "up"), "{rows:#?}");
    world.assert_gapless().await?;
    Ok(())
}

#[tokio::test]
async fn what_a_killed_checker_had_spooled_is_delivered_and_the_rest_is_missed()
-> anyhow::Result<()> {
    let (mut world, target) = (World::new().await?, target()?);
    world.import(&sites(4, &target.url("/")))?;
    let brokers = world.environment["KAFKA_BROKERS"].clone();
    world.set("KAFKA_BROKERS", NO_BROKER);
    let mut acknowledged = Vec::new();
    for least in [3.0, 9.0, 17.0] {
        let checker = world.start(Binary::Checker)?;
        let before = u32::try_from(acknowledged.len())?;
        reaches(&checker, "checker_spool_results", f64::from(before) + least).await?;
        drop(checker);
        let now = spooled(&world)?;
        ensure!(now.len() >= acknowledged.len() && now[..acknowledged.len()] == acknowledged);
        acknowledged = now;
    }
    let done = acknowledged
        .iter()
        .filter(|event| event.failure.is_none())
        .count();
    ensure!(done >= 3, "{done} checked, {} in all", acknowledged.len());
    // A check that was made and not yet spooled is lost, and told as missed: one commit at most.
    world.set("KAFKA_BROKERS", brokers);
    let checker = world.start_ready(Binary::Checker).await?;
    let before = target.hits("/");
    eventually("it checks again", || async {
        Ok((target.hits("/") > before + 8).then_some(()))
    })
    .await?;
    stops_cleanly(checker).await?;
    ensure!(spooled(&world)?.is_empty());
    world.run(Binary::Sink, &["--once"])?.success()?;
    let by_site = world.assert_gapless().await?;
    ensure!(by_site.len() == 4, "{by_site:?}");
    are_rows(&acknowledged, &world.rows().await?)
}

#[tokio::test]
async fn a_checker_that_is_killed_again_and_again_leaves_no_hole() -> anyhow::Result<()> {
    let (world, target) = (World::new().await?, target()?);
    world.import(&sites(5, &target.url("/")))?;
    for kills in 0..5 {
        let checker = world.start(Binary::Checker)?;
        let least = f64::from(kills * 3 + 1);
        reaches(&checker, "checker_results_delivered_total", least).await?;
        drop(checker);
    }
    stops_cleanly(world.start_ready(Binary::Checker).await?).await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    let by_site = world.assert_gapless().await?;
    ensure!(by_site.len() == 5, "{by_site:?}");
    Ok(())
}

#[tokio::test]
async fn a_corrupt_spool_is_set_aside_and_checking_goes_on() -> anyhow::Result<()> {
    let (world, target) = (World::new().await?, target()?);
    world.import(&sites(2, &target.url("/")))?;
    let file = spool_file(&world);
    let folder = file.parent().context("no folder")?;
    fs::create_dir_all(folder)?;
    fs::write(&file, "2026-01-05T10:00:00.000Z")?;
    let once = world.run(Binary::Checker, &["--once"])?;
    ensure!(once.code == Some(0), "{once:?}");
    ensure!(
        once.stderr.contains("local.spool is corrupt"),
        "{}",
        once.stderr
    );
    let set_aside = fs::read_dir(folder)?
        .filter_map(Result::ok)
        .filter(|entry| {
            let name = entry.file_name();
            name.to_string_lossy().starts_with("local.spool.corrupt-")
        });
    ensure!(set_aside.count() == 1);
    world.run(Binary::Sink, &["--once"])?.success()?;
    ensure!(world.rows().await?.len() == 2);
    Ok(())
}

#[tokio::test]
async fn a_full_spool_drops_the_oldest_counts_them_and_says_so() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    world.import(&sites(400, "http://127.0.0.1:1/"))?;
    let brokers = world.environment["KAFKA_BROKERS"].clone();
    world.set("KAFKA_BROKERS", NO_BROKER);
    world.set("CHECKER_SPOOL_MAX_SIZE", "1MiB");
    world.set("CHECKER_MAX_PER_HOST", "400");
    let checker = world.start(Binary::Checker)?;
    let dropped = "checker_spool_dropped_total{reason=\"spool_full\"}";
    reaches(&checker, dropped, 100.0).await?;
    ensure!(metric(&checker, "checker_spool_bytes")? <= f64::from(1 << 20));
    ensure!(metric(&checker, "checker_spool_gap_results")? >= 100.0);
    checker.is_not_ready_because(&["the spool is full"]).await?;
    let log = stops_cleanly(checker).await?;
    ensure!(log.contains("dropped the oldest results"), "{log}");
    let kept = spooled(&world)?;
    ensure!(kept.len() > 500, "{}", kept.len());

    world.set("KAFKA_BROKERS", brokers);
    world.import(&[])?;
    let once = world.run(Binary::Checker, &["--once"])?;
    ensure!(once.code == Some(0), "{once:?}");
    ensure!(
        once.stderr.contains("a full spool has dropped results"),
        "{}",
        once.stderr
    );
    world.run(Binary::Sink, &["--once"])?.success()?;
    let rows = world.rows().await?;
    ensure!(rows.len() == kept.len(), "{} of {}", rows.len(), kept.len());
    are_rows(&kept, &rows)
}

#[tokio::test]
async fn a_checker_stops_in_time_with_a_backlog_and_the_next_one_delivers_it() -> anyhow::Result<()>
{
    let (mut world, target) = (World::new().await?, target()?);
    world.import(&sites(3, &target.url("/")))?;
    let brokers = world.environment["KAFKA_BROKERS"].clone();
    world.set("KAFKA_BROKERS", NO_BROKER);
    let checker = world.start(Binary::Checker)?;
    reaches(&checker, "checker_spool_results", 9.0).await?;
    let log = stops_cleanly(checker).await?;
    ensure!(
        log.contains("left in the spool for the next start"),
        "{log}"
    );
    let left = spooled(&world)?;
    ensure!(
        left.len() == target.hits("/"),
        "{} of {}",
        left.len(),
        target.hits("/")
    );

    world.set("KAFKA_BROKERS", brokers);
    stops_cleanly(world.start_ready(Binary::Checker).await?).await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    are_rows(&left, &world.rows().await?)?;
    world.assert_gapless().await?;
    Ok(())
}

#[tokio::test]
async fn two_checkers_do_not_share_a_spool() -> anyhow::Result<()> {
    let (world, target) = (World::new().await?, target()?);
    world.import(&sites(1, &target.url("/")))?;
    let first = world.start_ready(Binary::Checker).await?;
    let second = world.start(Binary::Checker)?;
    let told = [
        "spool",
        "local.spool is in use by another process",
        "CHECKER_REGION",
    ];
    second.is_not_ready_because(&told).await?;
    let once = world.run(Binary::Checker, &["--once"])?;
    ensure!(once.code == Some(1), "{once:?}");
    ensure!(
        once.stderr.contains("in use by another process"),
        "{}",
        once.stderr
    );
    stops_cleanly(first).await?;
    second.is_ready().await?;
    Ok(())
}

#[tokio::test]
async fn a_disk_that_cannot_be_used_does_not_stop_the_checks_and_may_come_back()
-> anyhow::Result<()> {
    let (mut world, target) = (World::new().await?, target()?);
    world.import(&sites(2, &target.url("/")))?;
    let in_the_way = world.write("disk", "a file where a folder should be")?;
    world.set("CHECKER_SPOOL_DIR", in_the_way.to_string_lossy());
    let checker = world.start(Binary::Checker)?;
    let _sink = world.start_ready(Binary::Sink).await?;
    checker
        .is_not_ready_because(&["spool", "cannot be made"])
        .await?;
    world.stored(6).await?;
    fs::remove_file(&in_the_way)?;
    checker.is_ready().await?;
    ensure!(spool_file(&world).exists());
    stops_cleanly(checker).await?;
    world.stored(target.hits("/")).await?;
    world.assert_gapless().await?;
    Ok(())
}

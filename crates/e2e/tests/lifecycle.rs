//! How the services start, tell how they are, and stop.

use anyhow::{Context as _, ensure};
use e2e::{Answer, Binary, Service, Target, World, eventually};
use serde_json::{Value, json};

const SERVICES: [Binary; 2] = [Binary::Checker, Binary::Sink];

#[tokio::test]
async fn sigterm_stops_every_service_cleanly() -> anyhow::Result<()> {
    let (world, target) = (
        World::new().await?,
        Target::start(&[("/", Answer::ok(""))])?,
    );
    world.import(&[json!({"name": "a", "url": target.url("/"), "interval": "1s"})])?;
    for binary in SERVICES {
        let service = world.start_ready(binary).await?;
        let (code, log) = service.terminate().await?;
        ensure!(code == Some(0), "{binary:?}: {code:?}\n{log}");
    }
    Ok(())
}

#[tokio::test]
async fn a_check_that_outlasts_the_grace_period_is_told_as_missed() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    // Connections are made, by the system, but nobody ever answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/", silent.local_addr()?);
    let site = |number| json!({"name": format!("{number}"), "url": url, "interval": "10s"});
    world.import(&(0..40).map(site).collect::<Vec<_>>())?;
    world.set("SHUTDOWN_GRACE", "2s");
    let checker = world.start_ready(Binary::Checker).await?;
    eventually("a check is running", || async {
        let (_, metrics) = checker.get("/metrics")?;
        Ok((!metrics.contains("checker_in_flight 0")).then_some(()))
    })
    .await?;
    let (code, log) = checker.terminate().await?;
    ensure!(code == Some(0), "{code:?}\n{log}");
    world.run(Binary::Sink, &["--once"])?.success()?;
    let rows = world.rows().await?;
    let told = |row: &e2e::Row| row.failure.as_deref() == Some("not_running");
    ensure!(!rows.is_empty() && rows.iter().all(told), "{rows:?}");
    Ok(())
}

#[tokio::test]
async fn sigterm_stops_a_service_that_still_waits_for_its_dependencies() -> anyhow::Result<()> {
    let mut world = World::bare().await?;
    world.set("DATABASE_URL", "postgres://u@127.0.0.1:1/d");
    for binary in SERVICES {
        let service = world.start(binary)?;
        service.is_not_ready_because(&["database"]).await?;
        let (code, log) = service.terminate().await?;
        ensure!(code == Some(0), "{binary:?}: {code:?}\n{log}");
    }
    Ok(())
}

#[tokio::test]
async fn the_ops_server_answers_operators_and_prometheus() -> anyhow::Result<()> {
    let (world, target) = (
        World::new().await?,
        Target::start(&[("/", Answer::ok(""))])?,
    );
    world.import(&[json!({"name": "a", "url": target.url("/"), "interval": "1s"})])?;
    let checker = world.start_ready(Binary::Checker).await?;
    let sink = world.start_ready(Binary::Sink).await?;
    world.stored(1).await?;
    ensure!(checker.get("/livez")?.0 == 200 && sink.get("/livez")?.0 == 200);
    let (_, checker_metrics) = checker.get("/metrics")?;
    for metric in [
        "checker_checks_total{outcome=\"up\"}",
        "checker_sites 1",
        "monitor_build_info",
    ] {
        ensure!(
            checker_metrics.contains(metric),
            "no {metric} in:\n{checker_metrics}"
        );
    }
    let (_, sink_metrics) = sink.get("/metrics")?;
    ensure!(
        sink_metrics.contains("sink_events_stored_total"),
        "{sink_metrics}"
    );
    Ok(())
}

#[tokio::test]
async fn the_healthcheck_of_an_image_needs_no_shell() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let sink = world.start_ready(Binary::Sink).await?;
    let address = sink.ops_address().context("no address")?;
    world.set("OPS_LISTEN", &address);
    let healthy = world.run(Binary::Sink, &["--healthcheck"])?;
    ensure!(healthy.code == Some(0), "{healthy:?}");
    sink.terminate().await?;
    let dead = world.run(Binary::Sink, &["--healthcheck"])?;
    ensure!(dead.code == Some(1), "{dead:?}");
    ensure!(dead.stderr.contains(&address), "{dead:?}");
    Ok(())
}

#[tokio::test]
async fn logs_are_text_for_people_or_json_for_machines() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.import(&[])?;
    let json = world.start_ready(Binary::Sink).await?;
    let (_, log) = json.terminate().await?;
    for line in log.lines() {
        let parsed: Value = serde_json::from_str(line)?;
        ensure!(
            parsed.get("timestamp").is_some() && parsed.get("level").is_some(),
            "{line}"
        );
    }
    let text = world.run(Binary::Sink, &["--once"])?;
    ensure!(
        text.code == Some(0) && text.stderr.contains("INFO"),
        "{}",
        text.stderr
    );
    Ok(())
}

#[tokio::test]
async fn every_binary_has_help_that_lists_its_environment_and_a_version() -> anyhow::Result<()> {
    let world = World::bare().await?;
    for (binary, variables) in [
        (Binary::Checker, ["CHECKER_REGION", "KAFKA_BROKERS"]),
        (Binary::Sink, ["SINK_GROUP", "KAFKA_BROKERS"]),
        (Binary::Api, ["API_LISTEN", "DATABASE_URL"]),
        (Binary::Admin, ["DATABASE_URL", "KAFKA_BROKERS"]),
    ] {
        let help = world.run(binary, &["--help"])?.success()?;
        let told = |variable: &&str| help.contains(*variable);
        ensure!(variables.iter().all(told), "{help}");
        let version = world.run(binary, &["--version"])?.success()?;
        ensure!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");
        let misuse = world.run(binary, &["--nonsense"])?;
        ensure!(misuse.code == Some(64), "{misuse:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_second_sink_shares_the_work_and_takes_over() -> anyhow::Result<()> {
    let world = World::new().await?;
    let first = world.start_ready(Binary::Sink).await?;
    let second = Service::start(Binary::Sink, &[], &world.environment)?;
    second.logs("partitions assigned").await?;
    let now = chrono::Utc::now();
    let events = |ids: std::ops::Range<i64>| {
        ids.map(|id| World::event(id, now).encode())
            .collect::<Result<Vec<_>, _>>()
    };
    world.send(&events(1..200)?).await?;
    world.stored(199).await?;
    first.terminate().await?;
    world.send(&events(200..400)?).await?;
    ensure!(world.stored(399).await?.len() == 399);
    Ok(())
}

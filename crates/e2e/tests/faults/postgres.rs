//! Faults of the database, and between it and the sink.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use chrono::{TimeDelta, Utc};
use e2e::judge::canary;
use e2e::{Binary, Broker, Signal, World};
use local_stack::{Postgres, PostgresOptions};
use sqlx::{AssertSqlSafe, PgPool};
use test_servers::{Proxy, Traffic};

use crate::scene::{Running, SITES, Scene};

/// Runs statements that hold nothing from outside.
pub(crate) async fn run(database: &PgPool, sql: &str) -> anyhow::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(database).await?;
    Ok(())
}

/// Ends the sessions of the sink in this database, as a server does that shuts down.
async fn end_sessions(database: &PgPool) -> anyhow::Result<()> {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    run(database, sql).await
}

/// A scene on a server of its own.
async fn own_server() -> anyhow::Result<(Scene, Postgres)> {
    let postgres = Postgres::start(PostgresOptions::default())?;
    let broker = Broker::shared()?;
    let world = World::on(&postgres.url(), broker.brokers()).await?;
    Ok((Scene::of(world, broker)?, postgres))
}

/// A scene whose services reach the database through a proxy. The test itself does not.
async fn behind_a_proxy() -> anyhow::Result<(Scene, Proxy)> {
    let mut scene = Scene::new().await?;
    let url = scene.world.environment["DATABASE_URL"].clone();
    let (before, after) = url.split_once('@').context("no user in the URL")?;
    let (server, database) = after.split_once('/').context("no database in the URL")?;
    let proxy = Proxy::start(Some(server.parse::<SocketAddr>()?))?;
    let through = format!("{before}@{}/{database}", proxy.address());
    scene.world.set("DATABASE_URL", through);
    Ok((scene, proxy))
}

#[tokio::test]
async fn a_database_that_is_restarted_or_killed_is_waited_for() -> anyhow::Result<()> {
    let (scene, mut postgres) = own_server().await?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    scene.more_rows(SITES).await?;
    postgres.stop()?;
    sink.service.is_not_ready_because(&["database"]).await?;
    postgres.restart()?;
    canary(&scene.world).await?;
    for _ in 0..3 {
        postgres.kill()?;
        postgres.restart()?;
        canary(&scene.world).await?;
    }
    scene.verdict(checker, sink).await?;
    Ok(())
}

#[tokio::test]
async fn a_database_that_is_frozen_costs_a_deadline_and_no_membership() -> anyhow::Result<()> {
    let (scene, mut postgres) = own_server().await?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    scene.more_rows(SITES).await?;
    postgres.process().signal(Signal::SIGSTOP)?;
    let backends = children(postgres.process().id())?;
    send(&backends, Signal::SIGSTOP);
    let told = sink.service.is_not_ready_because(&["database"]).await;
    send(&backends, Signal::SIGCONT);
    postgres.process().signal(Signal::SIGCONT)?;
    told?;
    canary(&scene.world).await?;
    let log = sink.service.log();
    ensure!(
        !log.contains("partitions revoked"),
        "it has left the group:\n{log}"
    );
    scene.verdict(checker, sink).await?;
    Ok(())
}

/// The processes that this one has started.
fn children(parent: u32) -> anyhow::Result<Vec<u32>> {
    let mut children = Vec::new();
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // `process (name) state parent …`, and the name may hold anything.
        let after_name = stat.rsplit_once(") ").map(|(_, rest)| rest);
        let its_parent = after_name.and_then(|rest| rest.split(' ').nth(1)?.parse::<u32>().ok());
        let process = entry.file_name().to_string_lossy().parse();
        if let (Some(its_parent), Ok(process)) = (its_parent, process)
            && its_parent == parent
        {
            children.push(process);
        }
    }
    ensure!(!children.is_empty(), "{parent} has started no process");
    Ok(children)
}

fn send(processes: &[u32], signal: Signal) {
    for process in processes {
        // One that has ended meanwhile is fine.
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(process.cast_signed()), signal).ok();
    }
}

#[tokio::test]
async fn a_connection_that_is_half_open_is_given_up() -> anyhow::Result<()> {
    let (scene, proxy) = behind_a_proxy().await?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    scene.more_rows(SITES).await?;
    proxy.set(Traffic::Swallowed);
    sink.service.is_not_ready_because(&["database"]).await?;
    proxy.set(Traffic::Flows);
    canary(&scene.world).await?;
    for traffic in [
        Traffic::AnswersCutAfter(0),
        Traffic::RequestsCutAfter(2_000),
        Traffic::Refused,
    ] {
        proxy.set(traffic);
        sink.counts("sink_store_errors_total", 1.0).await?;
        scene.checks(SITES).await?;
        proxy.set(Traffic::Flows);
        canary(&scene.world).await?;
    }
    scene.verdict(checker, sink).await?;
    Ok(())
}

#[tokio::test]
async fn a_connection_that_is_slow_only_costs_time() -> anyhow::Result<()> {
    let (scene, proxy) = behind_a_proxy().await?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    scene.more_rows(SITES).await?;
    for traffic in [
        Traffic::Delayed(Duration::from_millis(200)),
        Traffic::Limited(20_000),
    ] {
        proxy.set(traffic);
        scene.more_rows(2 * SITES).await?;
    }
    proxy.set(Traffic::Flows);
    scene.verdict(checker, sink).await?;
    Ok(())
}

#[tokio::test]
async fn a_database_that_only_reads_is_waited_for() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    scene.more_rows(SITES).await?;
    let database = &scene.world.database;
    let name: String = sqlx::query_scalar("SELECT current_database()")
        .fetch_one(database)
        .await?;
    run(
        database,
        &format!("ALTER DATABASE {name} SET default_transaction_read_only = on"),
    )
    .await?;
    end_sessions(database).await?;
    sink.service.is_not_ready_because(&["database"]).await?;
    let writable = format!(
        "BEGIN READ WRITE; ALTER DATABASE {name} RESET default_transaction_read_only; COMMIT"
    );
    run(database, &writable).await?;
    end_sessions(database).await?;
    scene.verdict(checker, sink).await?;
    Ok(())
}

#[tokio::test]
async fn a_role_without_connections_left_is_waited_for() -> anyhow::Result<()> {
    let broker = Broker::shared()?;
    let mut world = World::bare().await?;
    let name: String = sqlx::query_scalar("SELECT current_database()")
        .fetch_one(&world.database)
        .await?;
    let role = format!(
        "CREATE ROLE {name} LOGIN PASSWORD 'canary-of-a-password'; ALTER DATABASE {name} OWNER TO {name}"
    );
    run(&world.database, &role).await?;
    let url = world.environment["DATABASE_URL"].clone();
    let (_, server) = url.split_once('@').context("no user in the URL")?;
    world.set(
        "DATABASE_URL",
        format!("postgres://{name}:canary-of-a-password@{server}"),
    );
    let scene = Scene::of(world, broker)?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    scene.more_rows(SITES).await?;
    let database = &scene.world.database;
    run(database, &format!("ALTER ROLE {name} CONNECTION LIMIT 0")).await?;
    end_sessions(database).await?;
    sink.service
        .is_not_ready_because(&["database", "too many connections"])
        .await?;
    run(database, &format!("ALTER ROLE {name} CONNECTION LIMIT -1")).await?;
    scene.verdict(checker, sink).await?;
    Ok(())
}

#[tokio::test]
async fn days_without_a_partition_get_one() -> anyhow::Result<()> {
    let world = World::new().await?;
    let sink = Running::when_ready(world.start(Binary::Sink)?).await?;
    let now = Utc::now();
    let days = (1..=5).map(|day| World::event(day, now - TimeDelta::days(20 * day)));
    let events: Vec<_> = days.map(|event| event.encode()).collect::<Result<_, _>>()?;
    world.send(&events).await?;
    ensure!(world.stored(events.len()).await?.len() == events.len());
    ensure!(sink.metric("sink_dead_letters_total")? < 1.0);
    Ok(())
}

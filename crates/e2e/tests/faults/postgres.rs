//! Faults of the database, and between it and the sink.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use chrono::{TimeDelta, Utc};
use e2e::judge::canary;
use e2e::{Binary, Broker, World, eventually, freeze};
use local_stack::{Postgres, PostgresOptions};
use sqlx::{AssertSqlSafe, PgPool};
use test_servers::{Proxy, Traffic};

use e2e::scene::{Running, SITES, Scene};

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
    let frozen = freeze(postgres.process().id())?;
    sink.service.is_not_ready_because(&["database"]).await?;
    drop(frozen);
    canary(&scene.world).await?;
    let log = sink.service.log();
    ensure!(
        !log.contains("partitions revoked"),
        "it has left the group:\n{log}"
    );
    scene.verdict(checker, sink).await?;
    Ok(())
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

/// A world whose topic has one partition, and no sink yet.
async fn of_one_partition() -> anyhow::Result<World> {
    let world = World::bare().await?;
    world.prepare(1)?;
    Ok(world)
}

/// Events of these sites, a number of seconds ago.
fn events(sites: std::ops::Range<i64>, seconds: i64) -> anyhow::Result<Vec<Vec<u8>>> {
    let at = Utc::now() - TimeDelta::seconds(seconds);
    let events = sites.map(|site| World::event(site, at).encode());
    Ok(events.collect::<Result<_, _>>()?)
}

#[tokio::test]
async fn a_deadlock_with_somebody_else_is_tried_again() -> anyhow::Result<()> {
    let world = of_one_partition().await?;
    let name: String = sqlx::query_scalar("SELECT current_database()")
        .fetch_one(&world.database)
        .await?;
    // Whoever has waited so long looks for deadlocks, and is the one to give up.
    run(
        &world.database,
        &format!("ALTER DATABASE {name} SET deadlock_timeout = '3s'"),
    )
    .await?;
    world.send(&events(1..3, 20)?).await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    let mut other = world.database.begin().await?;
    sqlx::raw_sql("SET LOCAL deadlock_timeout = '10min'")
        .execute(&mut *other)
        .await?;
    let lock = "SELECT FROM site_state WHERE site_id = $1 FOR UPDATE";
    sqlx::query(lock).bind(2_i64).execute(&mut *other).await?;
    world.send(&events(1..3, 10)?).await?;
    let sink = world.start(Binary::Sink)?;
    a_sink_waits(&world.database).await?;
    sqlx::query(lock).bind(1_i64).execute(&mut *other).await?;
    other.rollback().await?;
    let sink = Running::when_ready(sink).await?;
    ensure!(world.stored(4).await?.len() == 4);
    sink.counts("sink_store_errors_total", 1.0).await?;
    Ok(())
}

#[tokio::test]
async fn a_batch_that_takes_too_long_is_halved() -> anyhow::Result<()> {
    let world = of_one_partition().await?;
    run(
        &world.database,
        "CREATE FUNCTION is_slow() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN \
         IF (SELECT count(*) FROM added) > 600 THEN PERFORM pg_sleep(60); END IF; RETURN NULL; \
         END $$; \
         CREATE TRIGGER is_slow AFTER INSERT ON check_results REFERENCING NEW TABLE AS added \
         FOR EACH STATEMENT EXECUTE FUNCTION is_slow()",
    )
    .await?;
    world.send(&events(1..1_001, 10)?).await?;
    let sink = Running::when_ready(world.start(Binary::Sink)?).await?;
    ensure!(world.stored(1_000).await?.len() == 1_000);
    sink.counts("sink_store_errors_total", 1.0).await?;
    ensure!(sink.metric("sink_dead_letters_total")? < 1.0);
    Ok(())
}

/// Waits until a sink that stores waits for a lock, which is in the middle of its transaction.
pub(crate) async fn a_sink_waits(database: &PgPool) -> anyhow::Result<()> {
    eventually("a transaction waits for a lock", || async {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name = 'sink' \
             AND wait_event_type = 'Lock'",
        )
        .fetch_one(database)
        .await?;
        Ok((waiting > 0).then_some(()))
    })
    .await
}

#[tokio::test]
async fn commits_that_a_failover_has_lost_are_made_again() -> anyhow::Result<()> {
    let (scene, mut postgres) = own_server().await?;
    let (checker, sink) = (scene.checker().await?, scene.sink().await?);
    scene.more_rows(SITES).await?;
    postgres.stop()?;
    let data = postgres.directory().join("data");
    let standby = postgres.directory().join("standby");
    copy(&data, &standby)?;
    postgres.restart()?;
    canary(&scene.world).await?;
    scene.more_rows(2 * SITES).await?;
    let stored = scene.world.rows().await?.len();
    postgres.kill()?;
    std::fs::remove_dir_all(&data)?;
    copy(&standby, &data)?;
    postgres.restart()?;
    canary(&scene.world).await?;
    sink.counts("sink_rewinds_total", 1.0).await?;
    scene.verdict(checker, sink).await?;
    ensure!(scene.world.rows().await?.len() > stored);
    Ok(())
}

/// A copy with the same owners.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let mut copy = Command::new("cp");
    let copied = copy.arg("-a").arg(from).arg(to).status()?;
    ensure!(copied.success(), "cannot copy {}", from.display());
    Ok(())
}

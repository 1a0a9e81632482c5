//! The API when something is wrong, and at its end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use e2e::{Api, Binary, World};
use hyper::Method;
use hyper::body::Bytes;
use local_stack::{Postgres, PostgresOptions};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const SITES: &str = "/api/v1/sites";

#[tokio::test]
async fn it_waits_for_a_database_that_is_not_there_or_not_migrated() -> anyhow::Result<()> {
    let world = World::bare().await?;
    let service = world.start(Binary::Api)?;
    service.is_not_ready_because(&["admin migrate"]).await?;
    world.admin(&["migrate"])?.success()?;
    service.is_ready().await?;
    let (code, log) = service.terminate().await?;
    ensure!(code == Some(0), "{log}");
    Ok(())
}

/// What requests were answered with while something happened.
#[derive(Default)]
struct Answers {
    right: usize,
    unavailable: usize,
}

#[tokio::test]
async fn a_database_that_restarts_under_load_is_told_and_got_over() -> anyhow::Result<()> {
    let mut postgres = Postgres::start(PostgresOptions::default())?;
    let world = World::on(&postgres.url(), "localhost:1").await?;
    world.admin(&["migrate"])?.success()?;
    let Api { client, service } = Api::start(&world, &[("API_DATABASE_CONNECTIONS", "3")]).await?;
    let added = client
        .send_json(Method::POST, SITES, &json!({"url": "http://x"}))
        .await?;
    ensure!(added.status == 201, "{added:?}");

    let mut load = JoinSet::new();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    for number in 0..16 {
        let (client, stopped) = (client.clone(), stopped.clone());
        let paths = [
            SITES,
            "/api/v1/sites/1/metrics/uptime",
            "/metrics",
            "/api/v1/sites/1",
        ];
        let path = paths[number % paths.len()];
        load.spawn(async move {
            let mut answers = Answers::default();
            while !*stopped.borrow() {
                let reply = client.get(path).await?;
                if reply.status == 200 {
                    answers.right += 1;
                } else {
                    reply.problem(503, "unavailable")?;
                    answers.unavailable += 1;
                }
            }
            anyhow::Ok(answers)
        });
    }
    postgres.stop()?;
    service.is_not_ready_because(&["database"]).await?;
    postgres.restart()?;
    service.is_ready().await?;
    e2e::eventually("it answers again", || async {
        ensure!(client.get(SITES).await?.status == 200);
        Ok(Some(()))
    })
    .await?;
    stop.send(true)?;
    let mut all = Answers::default();
    while let Some(answers) = load.join_next().await {
        let answers = answers??;
        all.right += answers.right;
        all.unavailable += answers.unavailable;
    }
    ensure!(
        all.right > 0 && all.unavailable > 0,
        "{} {}",
        all.right,
        all.unavailable
    );
    Ok(())
}

#[tokio::test]
async fn connections_to_the_database_are_bounded() -> anyhow::Result<()> {
    let world = World::bare().await?;
    world.admin(&["migrate"])?.success()?;
    let Api {
        client,
        service: _service,
    } = Api::start(&world, &[("API_DATABASE_CONNECTIONS", "2")]).await?;
    let mut load = JoinSet::new();
    for _ in 0..32 {
        let client = client.clone();
        load.spawn(async move {
            for _ in 0..5 {
                let reply = client.get("/api/v1/metrics/uptime").await?;
                ensure!(reply.status == 200, "{reply:?}");
            }
            anyhow::Ok(())
        });
    }
    let count = "SELECT count(*) FROM pg_stat_activity \
        WHERE application_name = 'api' AND datname = current_database()";
    let mut most = 0;
    while !load.is_empty() {
        most = most.max(
            sqlx::query_scalar::<_, i64>(count)
                .fetch_one(&world.database)
                .await?,
        );
        while let Some(done) = load.try_join_next() {
            done??;
        }
    }
    ensure!((1..=2).contains(&most), "{most}");
    Ok(())
}

#[tokio::test]
async fn a_request_that_has_begun_is_answered_before_the_end() -> anyhow::Result<()> {
    let world = World::bare().await?;
    world.admin(&["migrate"])?.success()?;
    let Api { client, service } = Api::start(&world, &[]).await?;
    let body = json!({"url": "http://x"}).to_string();
    let head = format!(
        "POST {SITES} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(&client.address).await?;
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body.as_bytes()[..5]).await?;
    // Another request has been answered since: so the one above is being read.
    ensure!(client.get(SITES).await?.status == 200);
    service.signal(e2e::Signal::SIGTERM)?;
    e2e::eventually("nobody else is let in", || async {
        Ok(TcpStream::connect(&client.address).await.err().map(drop))
    })
    .await?;
    stream.write_all(&body.as_bytes()[5..]).await?;
    let mut answer = String::new();
    tokio::time::timeout(Duration::from_secs(30), stream.read_to_string(&mut answer)).await??;
    ensure!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let (code, log) = service.finish().await?;
    ensure!(code == Some(0), "{log}");
    Ok(())
}

#[tokio::test]
async fn what_takes_too_long_is_given_up() -> anyhow::Result<()> {
    let world = World::bare().await?;
    world.admin(&["migrate"])?.success()?;
    let Api {
        client,
        service: _service,
    } = Api::start(&world, &[("API_REQUEST_TIMEOUT", "1s")]).await?;
    let mut transaction = world.database.begin().await?;
    sqlx::query("LOCK TABLE sites IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *transaction)
        .await?;
    let reply = client.get(SITES).await?;
    reply.problem(503, "timeout")?;
    transaction.rollback().await?;
    let again = client.get(SITES).await?;
    ensure!(again.status == 200, "{again:?}");
    Ok(())
}

#[tokio::test]
async fn somebody_writes_while_others_read() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.import(&[
        json!({"name": "x", "url": "http://127.0.0.1:1/", "interval": "1s", "timeout": "1s"}),
    ])?;
    let Api {
        client,
        service: _service,
    } = Api::start(&world, &[]).await?;
    let _checker = world.start_ready(Binary::Checker).await?;
    let _sink = world.start_ready(Binary::Sink).await?;
    let seen = AtomicU64::new(0);
    e2e::eventually("five checks are counted, one after the other", || async {
        {
            let uptime = client.json("/api/v1/metrics/uptime?from=1h").await?;
            let outcomes = uptime["summary"]["outcomes"]
                .as_object()
                .context("no outcomes")?;
            let count: u64 = outcomes
                .values()
                .filter_map(serde_json::Value::as_u64)
                .sum();
            let series = uptime["series"].as_array().context("no series")?;
            let buckets = series
                .iter()
                .filter_map(|bucket| bucket["outcomes"].as_object());
            let in_buckets: u64 = buckets
                .flat_map(|counts| counts.values())
                .filter_map(serde_json::Value::as_u64)
                .sum();
            ensure!(count == in_buckets, "the parts are not the whole: {uptime}");
            let before = seen.swap(count, Ordering::Relaxed);
            ensure!(count >= before, "checks were lost: {count} after {before}");
            ensure!(count >= 5, "{count} so far");
            Ok(Some(()))
        }
    })
    .await?;
    let head = client.send(Method::HEAD, SITES, &[], Bytes::new()).await?;
    ensure!(head.status == 200 && head.body.is_empty(), "{head:?}");
    Ok(())
}

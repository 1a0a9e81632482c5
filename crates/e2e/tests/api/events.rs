//! Checks as they are stored.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use e2e::{Api, Client, Connection, World};
use http_body_util::BodyExt as _;
use hyper::Method;
use hyper::body::{Bytes, Incoming};
use serde_json::{Value, json};
use tokio::time::timeout;

/// Checks that are stored at a time before readers who do not read: far more than sockets and channels
/// hold.
const PER_ROUND: i64 = 20_000;
const PATIENCE: Duration = Duration::from_mins(1);

/// Somebody who follows the stream.
struct Follower {
    _connection: Connection,
    body: Incoming,
    text: String,
    /// The id of the last event.
    last: String,
}

impl Follower {
    async fn start(client: &Client, query: &str, last: &str) -> anyhow::Result<Self> {
        let path = format!("/api/v1/events{query}");
        let headers = [("Last-Event-ID", last)];
        let (connection, response) = client
            .open(Method::GET, &path, &headers, Bytes::new())
            .await?;
        ensure!(response.status() == 200, "{response:?}");
        ensure!(
            response.headers()["content-type"] == "text/event-stream",
            "{response:?}"
        );
        Ok(Self {
            _connection: connection,
            body: response.into_body(),
            text: String::new(),
            last: last.to_owned(),
        })
    }

    /// The next check; other events are passed over.
    async fn next(&mut self) -> anyhow::Result<Value> {
        timeout(PATIENCE, self.next_check())
            .await
            .context("no check came")?
    }

    async fn next_check(&mut self) -> anyhow::Result<Value> {
        loop {
            let event = self.event().await?;
            let field = |name: &str| {
                let lines = event.lines().filter_map(|line| line.strip_prefix(name));
                lines.map(str::trim).collect::<String>()
            };
            let id = field("id:");
            if !id.is_empty() {
                self.last = id;
            }
            match field("event:").as_str() {
                "check" => return Ok(serde_json::from_str(&field("data:"))?),
                "" => {}
                other => bail!("{other}: {event}"),
            }
        }
    }

    /// The slots of the next checks.
    async fn slots(&mut self, count: usize) -> anyhow::Result<Vec<String>> {
        let mut slots = Vec::new();
        for _ in 0..count {
            let check = self.next().await?;
            slots.push(
                check["scheduled_at"]
                    .as_str()
                    .context("no slot")?
                    .to_owned(),
            );
        }
        Ok(slots)
    }

    /// What comes before the next empty line.
    async fn event(&mut self) -> anyhow::Result<String> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let event = self.text[..end].to_owned();
                self.text.drain(..end + 2);
                return Ok(event);
            }
            let frame = self.body.frame().await;
            let frame = frame.context("the stream has ended")??;
            if let Ok(data) = frame.into_data() {
                self.text.push_str(std::str::from_utf8(&data)?);
            }
        }
    }
}

fn slot(begin: DateTime<Utc>, number: i64) -> DateTime<Utc> {
    begin + TimeDelta::seconds(number)
}

fn shown(begin: DateTime<Utc>, numbers: std::ops::Range<i64>) -> Vec<String> {
    numbers
        .map(|number| slot(begin, number).to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
        .collect()
}

/// Stores one check of each slot.
async fn store(
    world: &World,
    site: i64,
    begin: DateTime<Utc>,
    numbers: std::ops::Range<i64>,
) -> anyhow::Result<()> {
    let events = numbers.map(|number| World::up(site, slot(begin, number)).encode());
    let events = events.collect::<Result<Vec<_>, _>>()?;
    for portion in events.chunks(5_000) {
        world.send(portion).await?;
    }
    world.run(e2e::Binary::Sink, &["--once"])?.success()?;
    Ok(())
}

fn begin() -> anyhow::Result<DateTime<Utc>> {
    DateTime::from_timestamp(Utc::now().timestamp() - 3_600, 0).context("no time")
}

#[tokio::test]
async fn checks_are_told_as_they_are_stored_and_after_a_pause() -> anyhow::Result<()> {
    let (world, begin) = (World::new().await?, begin()?);
    let Api {
        client,
        service: _service,
    } = Api::start(&world, &[]).await?;
    let mut follower = Follower::start(&client, "", "").await?;
    store(&world, 1, begin, 1..4).await?;
    ensure!(follower.slots(3).await? == shown(begin, 1..4));
    // One more, so that the id after those three has come.
    store(&world, 1, begin, 4..5).await?;
    follower.slots(1).await?;
    let last = follower.last.clone();
    drop(follower);

    // Also what is late: an hour before the others.
    store(&world, 1, begin - TimeDelta::hours(1), 0..2).await?;
    store(&world, 1, begin, 5..7).await?;
    let mut again = Follower::start(&client, "", &last).await?;
    let mut slots = again.slots(5).await?;
    slots.sort();
    let late = shown(begin - TimeDelta::hours(1), 0..2);
    ensure!(slots == [late, shown(begin, 4..7)].concat(), "{slots:?}");
    store(&world, 1, begin, 7..8).await?;
    ensure!(
        again.slots(1).await? == shown(begin, 7..8),
        "and it goes on"
    );
    Ok(())
}

#[tokio::test]
async fn who_wants_some_checks_gets_no_others() -> anyhow::Result<()> {
    let (world, begin) = (World::new().await?, begin()?);
    world.import(&[
        json!({"name": "a", "url": "http://x", "tags": ["t"]}),
        json!({"name": "b", "url": "http://x"}),
    ])?;
    let Api {
        client,
        service: _service,
    } = Api::start(&world, &[]).await?;
    let mut followers = Vec::new();
    for query in ["?site=1", "?tag=t", "?site=1&region=local&outcome=up,down"] {
        followers.push(Follower::start(&client, query, "").await?);
    }
    store(&world, 2, begin, 0..2).await?;
    store(&world, 1, begin, 2..4).await?;
    for follower in &mut followers {
        ensure!(follower.slots(2).await? == shown(begin, 2..4));
    }
    let mut none = Follower::start(&client, "?outcome=error", "").await?;
    store(&world, 1, begin, 4..5).await?;
    let id = timeout(PATIENCE, none.event()).await??;
    ensure!(
        id.starts_with("id:"),
        "who wants nothing learns where it is all the same: {id}"
    );
    Ok(())
}

#[tokio::test]
async fn a_hundred_slow_readers_harm_nobody() -> anyhow::Result<()> {
    let (world, begin) = (World::new().await?, begin()?);
    let Api { client, service } = Api::start(&world, &[]).await?;
    let mut slow = Vec::new();
    for _ in 0..100 {
        slow.push(Follower::start(&client, "", "").await?);
    }
    let mut quick = Follower::start(&client, "", "").await?;
    for round in 0..2 {
        let numbers = round * PER_ROUND..(round + 1) * PER_ROUND;
        store(
            &world,
            round + 1,
            begin - TimeDelta::hours(12),
            numbers.clone(),
        )
        .await?;
        for _ in numbers {
            quick.next().await?;
        }
    }
    ensure!(client.get("/api/v1/sites").await?.status == 200);
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.id()))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .context("no VmHWM")?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    // 40,000 checks of some 700 bytes, to a hundred who do not read, would be 2.8 GB.
    ensure!(kilobytes < 400_000, "{kilobytes} kB");
    Ok(())
}

#[tokio::test]
async fn streams_are_limited_and_end_with_the_service() -> anyhow::Result<()> {
    let world = World::new().await?;
    let Api { client, service } = Api::start(&world, &[("API_MAX_STREAMS", "2")]).await?;
    let mut first = Follower::start(&client, "", "").await?;
    let second = Follower::start(&client, "", "").await?;
    let refused = client.get("/api/v1/events").await?;
    refused.problem(429, "busy")?;
    ensure!(!refused.header("retry-after").is_empty(), "{refused:?}");
    drop(second);
    e2e::eventually("a place is free", || async {
        Follower::start(&client, "", "").await.map(Some)
    })
    .await?;

    let (code, log) = service.terminate().await?;
    ensure!(code == Some(0), "{log}");
    ensure!(first.next().await.is_err(), "the stream has ended");
    Ok(())
}

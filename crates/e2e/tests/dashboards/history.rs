//! What has happened before a dashboard is looked at.

use std::collections::HashMap;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use e2e::{Binary, World};
use monitor_core::event::{ContentMatch, Timings, TlsFacts, Warning};
use monitor_core::{CheckEvent, Failure, FailureKind, Outcome, Phase};
use serde_json::json;

/// A tag that has to be quoted.
pub(crate) const TAG: &str = "Pat's";

/// How many hours the history goes back.
pub(crate) const HOURS: i64 = 5;

/// A world with the checks of five hours, a slot every ten minutes and all stored and rolled up: `well`
/// is up or slow, `ill` is down for an hour in the middle and now, and of `silent` nothing is known.
pub(crate) async fn happened(now: DateTime<Utc>) -> anyhow::Result<World> {
    let world = World::new().await?;
    let site = |name: &str, tags: &[&str]| {
        let url = format!("https://{name}.example/");
        json!({"name": name, "url": url, "interval": "10m", "tags": tags})
    };
    world.import(&[
        site("well", &[TAG]),
        site("ill", &[]),
        site("silent", &[TAG]),
    ])?;
    let sites = ids(&world).await?;
    let mut messages = Vec::new();
    for slot in 0..HOURS * 6 {
        let ago = TimeDelta::minutes(10 * (HOURS * 6 - slot) - 9);
        for (name, id) in &sites {
            let mut event = World::event(*id, now - ago);
            become_of(&mut event, name, slot, now);
            messages.push(event.encode()?);
        }
    }
    world.send(&messages).await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    Ok(world)
}

/// The sites by name.
pub(crate) async fn ids(world: &World) -> anyhow::Result<HashMap<String, i64>> {
    let sites: Vec<(String, i64)> = sqlx::query_as("SELECT name, id FROM sites")
        .fetch_all(&world.database)
        .await
        .context("no sites")?;
    Ok(sites.into_iter().collect())
}

fn become_of(event: &mut CheckEvent, name: &str, slot: i64, now: DateTime<Utc>) {
    if name == "silent" {
        return;
    }
    let down = name == "ill" && ((6..12).contains(&slot) || slot >= HOURS * 6 - 2);
    event.started_at = Some(event.scheduled_at);
    event.attempts = 1;
    event.content = ContentMatch::NotChecked;
    event.timings_us = Timings {
        dns: Some(1_000),
        connect: Some(2_000),
        tls: Some(4_000),
        first_byte: Some(8_000),
        transfer: Some(16_000),
        total: Some(31_000),
    };
    event.tls = Some(TlsFacts {
        not_after: Some(now + TimeDelta::days(30)),
        ..TlsFacts::default()
    });
    (event.outcome, event.failure, event.status_code) = if down {
        let failure = Failure::new(
            FailureKind::UnexpectedStatus,
            Some(Phase::Assertion),
            "503, and 200-299 was expected",
        );
        (Outcome::Down, Some(failure), Some(503))
    } else if slot % 10 == 0 {
        event.warnings = vec![Warning::SlowResponse];
        (Outcome::Degraded, None, Some(200))
    } else {
        (Outcome::Up, None, Some(200))
    };
}

//! Metrics over HTTP.

use anyhow::{Context as _, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use e2e::{Api, Binary, World};
use serde_json::{Value, json};

/// A world in which 20 checks of a site are stored, one a minute and the last now: each fifth is down.
async fn stored() -> anyhow::Result<(World, DateTime<Utc>)> {
    let world = World::new().await?;
    let site = json!({"name": "shop", "url": "http://x", "tags": ["shop"]});
    world.import(&[site])?;
    let now = DateTime::from_timestamp(Utc::now().timestamp(), 0).context("no time")?;
    let mut events = Vec::new();
    for minute in 0..20 {
        let at = now - TimeDelta::minutes(minute);
        let is_down = minute % 5 == 4;
        let mut event = if is_down {
            World::down(1, at)
        } else {
            World::up(1, at)
        };
        event.timings_us.total = Some(u32::try_from(1_000 * (minute + 1))?);
        events.push(event.encode()?);
    }
    world.send(&events).await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    Ok((world, now))
}

#[tokio::test]
async fn a_site_and_the_fleet_can_be_asked_about() -> anyhow::Result<()> {
    let (world, _) = stored().await?;
    let Api {
        client,
        service: _service,
    } = Api::start(&world, &[]).await?;
    for base in ["/api/v1/sites/1/metrics", "/api/v1/metrics"] {
        let metric =
            async |name: &str| client.json(&format!("{base}/{name}?from=1h&step=5m")).await;
        let uptime = metric("uptime").await?;
        ensure!(
            uptime["summary"]["uptime"] == 0.8 && uptime["summary"]["coverage"] == 1.0,
            "{uptime}"
        );
        ensure!(
            uptime["summary"]["outcomes"]["down"] == 4 && uptime["step"] == "5m",
            "{uptime}"
        );
        let series = uptime["series"].as_array().context("no series")?;
        ensure!((12..=13).contains(&series.len()), "{uptime}");
        ensure!(
            series[0]["uptime"].is_null(),
            "without checks it is unknown: {uptime}"
        );
        let down: u64 = series
            .iter()
            .filter_map(|bucket| bucket["outcomes"]["down"].as_u64())
            .sum();
        ensure!(down == 4, "{uptime}");

        let times = metric("response-time").await?;
        let total = &times["summary"]["durations"]["total"];
        ensure!(
            total["count"] == 16 && total["min_us"] == 1_000 && total["max_us"] == 19_000,
            "{times}"
        );
        let codes = metric("status-codes").await?;
        ensure!(
            codes["summary"]["status_codes"] == json!({"200": 16, "503": 4}),
            "{codes}"
        );
        let kinds = metric("failure-kinds").await?;
        ensure!(
            kinds["summary"]["failure_kinds"] == json!({"unexpected_status": 4}),
            "{kinds}"
        );
        let content = metric("content").await?;
        ensure!(content["summary"]["content"].is_object(), "{content}");
    }
    let other = client
        .json("/api/v1/metrics/uptime?tag=none&step=none")
        .await?;
    ensure!(
        other["summary"]["uptime"].is_null() && other["series"] == json!([]),
        "{other}"
    );
    let unknown = client.get("/api/v1/sites/77/metrics/uptime").await?;
    unknown.problem(404, "not-found")?;
    Ok(())
}

#[tokio::test]
async fn timelines_of_sites_come_as_columns() -> anyhow::Result<()> {
    let (world, _) = stored().await?;
    let Api {
        client,
        service: _service,
    } = Api::start(&world, &[]).await?;
    let path = "/api/v1/timelines?site_id=77,1";
    for (window, step_ms, steps) in [
        ("24h", 3_600_000, 24..=25),
        ("7d", 4 * 3_600_000, 42..=43),
        ("90d", 24 * 3_600_000, 90..=91),
        ("100h", 3 * 3_600_000, 34..=35),
    ] {
        let told = client.json(&format!("{path}&window={window}")).await?;
        ensure!(told["step_ms"] == step_ms, "{told}");
        let sites = told["sites"].as_array().context("no sites")?;
        ensure!(sites.len() == 1 && sites[0]["site_id"] == 1, "{told}");
        let column = |name: &str| sites[0][name].as_array().context("no column");
        for (name, sum) in [
            ("up", 16),
            ("down", 4),
            ("degraded", 0),
            ("missed", 0),
            ("error", 0),
        ] {
            let counts = column(name)?;
            ensure!(steps.contains(&counts.len()), "{name} of {window}: {told}");
            ensure!(
                counts.iter().filter_map(Value::as_u64).sum::<u64>() == sum,
                "{told}"
            );
        }
        let p95 = column("p95_us")?;
        ensure!(steps.contains(&p95.len()) && p95[0].is_null(), "{told}");
        let longest = p95.iter().filter_map(Value::as_u64).max();
        ensure!(
            longest.is_some_and(|us| (18_500..=19_500).contains(&us)),
            "{told}"
        );
    }
    let nobody = client.json("/api/v1/timelines?site_id=77").await?;
    ensure!(nobody["sites"] == json!([]), "{nobody}");

    let many: Vec<_> = (1..=201).map(|id| id.to_string()).collect();
    for (query, field) in [
        ("", "site_id"),
        ("site_id=", "site_id"),
        ("site_id=1,,2", "site_id"),
        ("site_id=1,1", "site_id"),
        ("site_id=shop", "site_id"),
        (&format!("site_id={}", many.join(",")), "site_id"),
        ("site_id=1&window=90m", "window"),
        ("site_id=1&window=91d", "window"),
        ("site_id=1&region=eu", "region"),
    ] {
        let refused = client.get(&format!("/api/v1/timelines?{query}")).await?;
        let problem = refused.problem(400, "invalid-request")?;
        ensure!(problem["errors"][0]["field"] == field, "{query}: {problem}");
    }
    Ok(())
}

#[tokio::test]
async fn days_are_those_of_the_zone_that_was_asked_for() -> anyhow::Result<()> {
    let (world, _) = stored().await?;
    let Api {
        client,
        service: _service,
    } = Api::start(&world, &[]).await?;
    let path = "/api/v1/metrics/uptime?from=2026-03-28T22:00:00Z&to=2026-03-30T21:00:00Z&step=1d&tz=Europe/Helsinki";
    let days = client.json(path).await?;
    let begins: Vec<_> = days["series"]
        .as_array()
        .context("no series")?
        .iter()
        .map(|day| &day["from"])
        .collect();
    ensure!(
        begins == ["2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z"],
        "{days}"
    );
    ensure!(days["time_zone"] == "Europe/Helsinki");
    Ok(())
}

#[tokio::test]
async fn checks_come_in_pages_newest_first() -> anyhow::Result<()> {
    let (world, now) = stored().await?;
    let Api {
        client,
        service: _service,
    } = Api::start(&world, &[]).await?;
    let all = async |query: &str| {
        let mut next = Some(format!("/api/v1/sites/1/checks?{query}"));
        let mut checks: Vec<Value> = Vec::new();
        while let Some(path) = next {
            let page = client.json(&path).await?;
            let items = page["items"].as_array().context("no items")?;
            ensure!(items.len() <= 7, "{page}");
            checks.extend(items.iter().cloned());
            next = page["next"].as_str().map(ToOwned::to_owned);
        }
        anyhow::Ok(checks)
    };
    let slots = |checks: &[Value]| -> Vec<String> {
        checks
            .iter()
            .map(|check| check["scheduled_at"].to_string())
            .collect()
    };
    let newest = all("limit=7&to=0s").await?;
    // The last slot is now, which the range does not include unless it has passed.
    ensure!(newest.len() >= 19, "{}", newest.len());
    ensure!(slots(&newest).iter().rev().is_sorted());
    let to = (now + TimeDelta::seconds(1))
        .to_rfc3339()
        .replace('+', "%2B");
    let oldest = all(&format!("limit=7&order=oldest&to={to}")).await?;
    ensure!(oldest.len() == 20 && slots(&oldest).is_sorted());
    let down = all(&format!("limit=7&outcome=down,error&to={to}")).await?;
    ensure!(down.len() == 4, "{down:?}");
    ensure!(down.iter().all(
        |check| check["failure"]["kind"] == "unexpected_status" && check["status_code"] == 503
    ));
    ensure!(all("limit=7&region=nowhere").await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn outages_have_a_begin_an_end_and_a_cause() -> anyhow::Result<()> {
    let (world, now) = stored().await?;
    let Api {
        client,
        service: _service,
    } = Api::start(&world, &[]).await?;
    for path in [
        "/api/v1/sites/1/outages?from=1h",
        "/api/v1/outages?tag=shop&from=1h",
    ] {
        let outages = client.json(path).await?;
        let items = outages["items"].as_array().context("no items")?;
        ensure!(items.len() == 4, "{outages}");
        let latest = &items[0];
        let at = |minutes| serde_json::to_value(now - TimeDelta::minutes(minutes));
        ensure!(
            latest["started_at"] == at(4)? && latest["ended_at"] == at(3)?,
            "{latest}"
        );
        ensure!(
            latest["cause"]["failure"]["kind"] == "unexpected_status" && latest["name"] == "shop",
            "{latest}"
        );
        ensure!(
            latest["duration_ms"] == 60_000 && latest["site_id"] == 1,
            "{latest}"
        );
        ensure!(
            latest["regions"][0]["region"] == "local" && latest["precision"] == "check",
            "{latest}"
        );
    }
    let first = client.json("/api/v1/outages?from=1h&limit=3").await?;
    let next = first["next"].as_str().context("no next page")?;
    let last = client.json(next).await?;
    ensure!(
        last["items"].as_array().map(Vec::len) == Some(1) && last["next"].is_null(),
        "{last}"
    );
    Ok(())
}

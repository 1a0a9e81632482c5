//! The fleet at a glance: for Prometheus, as badges, by certificates.

use anyhow::{Context as _, ensure};
use chrono::{TimeDelta, Utc};
use e2e::{Api, Binary, World};
use monitor_core::Outcome;
use monitor_core::event::{TlsFacts, Warning};
use serde_json::{Value, json};

/// A world with three sites: one is up with a certificate that ends in five days, one is down, one was
/// never checked.
async fn stored() -> anyhow::Result<World> {
    let world = World::new().await?;
    let site = |name: &str| json!({"name": name, "url": format!("https://{name}/?token=hunter2")});
    world.import(&[site("fine"), site("broken"), site("new")])?;
    let now = Utc::now() - TimeDelta::seconds(5);
    let id = async |name: &str| {
        let query = sqlx::query_scalar::<_, i64>("SELECT id FROM sites WHERE name = $1").bind(name);
        query.fetch_one(&world.database).await
    };
    let mut fine = World::up(id("fine").await?, now);
    fine.tls = Some(TlsFacts {
        not_after: Some(now + TimeDelta::days(5)),
        ..TlsFacts::default()
    });
    let broken = World::down(id("broken").await?, now);
    world.send(&[fine.encode()?, broken.encode()?]).await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    Ok(world)
}

#[tokio::test]
async fn prometheus_is_told_of_every_site_under_the_names_that_it_knows() -> anyhow::Result<()> {
    let world = stored().await?;
    let Api {
        client,
        service: _service,
    } = Api::start(&world, &[]).await?;
    let metrics = client.get("/metrics").await?;
    ensure!(
        metrics
            .header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    let text = metrics.text();
    let labels =
        |name: &str| format!("{{instance=\"https://{name}/\",site=\"{name}\",region=\"local\"}}");
    let state = |name: &str, state: &str, is_so: u8| {
        let labels = labels(name).replace('}', &format!(",state=\"{state}\"}}"));
        format!("monitor_site_state{labels} {is_so}")
    };
    for line in [
        format!("probe_success{} 1", labels("fine")),
        format!("probe_success{} 0", labels("broken")),
        format!("probe_duration_seconds{} 0.0015", labels("fine")),
        format!("probe_http_status_code{} 200", labels("fine")),
        state("fine", "up", 1),
        state("fine", "stale", 0),
        state("broken", "down", 1),
        "monitor_sites 3".to_owned(),
        "monitor_sites_left_out 0".to_owned(),
    ] {
        ensure!(
            text.lines().any(|told| told == line),
            "no {line} in:\n{text}"
        );
    }
    ensure!(
        text.contains("probe_ssl_earliest_cert_expiry{") && !text.contains("hunter2"),
        "{text}"
    );

    let capped = Api::start(&world, &[("API_METRICS_MAX_SITES", "1")]).await?;
    let text = capped.client.get("/metrics").await?.text();
    ensure!(
        text.contains("monitor_sites_left_out 2") && !text.contains("site=\"fine\""),
        "{text}"
    );
    Ok(())
}

#[tokio::test]
async fn a_degraded_site_says_why() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.import(&[
        json!({"name": "fine", "url": "http://fine"}),
        json!({"name": "slow", "url": "http://slow"}),
    ])?;
    let now = Utc::now() - TimeDelta::seconds(5);
    let mut slow = World::up(2, now);
    slow.outcome = Outcome::Degraded;
    slow.warnings = vec![Warning::SlowResponse];
    let events = [World::up(1, now).encode()?, slow.encode()?];
    world.send(&events).await?;
    world.run(Binary::Sink, &["--once"])?.success()?;
    let Api {
        client,
        service: _service,
    } = Api::start(&world, &[]).await?;
    let overview = client.json("/api/v1/overview").await?;
    for (index, warnings) in [Value::Null, json!(["slow_response"])].iter().enumerate() {
        let site = &overview["sites"][index];
        ensure!(site["regions"][0]["warnings"] == *warnings, "{overview}");
        let path = format!("/api/v1/sites/{}/state", site["site_id"]);
        let state = client.json(&path).await?;
        ensure!(state["regions"][0]["warnings"] == *warnings, "{state}");
    }
    Ok(())
}

#[tokio::test]
async fn badges_say_how_a_site_is() -> anyhow::Result<()> {
    let world = stored().await?;
    let Api {
        client,
        service: _service,
    } = Api::start(&world, &[]).await?;
    let sites = client.json("/api/v1/sites").await?;
    let id = |name: &str| {
        let items = sites["items"].as_array().into_iter().flatten();
        items
            .filter(|site| site["name"] == name)
            .map(|site| site["id"].to_string())
            .collect::<String>()
    };
    let badge =
        async |name: &str, badge: &str| client.get(&format!("/badge/{}/{badge}", id(name))).await;
    for (name, picture, value) in [
        ("fine", "status.svg", "status: up"),
        ("broken", "status.svg", "status: down"),
        ("new", "status.svg", "status: unknown"),
        ("fine", "uptime.svg", "uptime 24h: 100%"),
        ("broken", "uptime.svg?window=7d", "uptime 7d: 0%"),
        ("new", "uptime.svg", "uptime 24h: unknown"),
        ("fine", "response-time.svg", "p95 24h: 2 ms"),
        ("fine", "status.svg?label=%3Cb%3E", "&lt;b&gt;: up"),
    ] {
        let reply = badge(name, picture).await?;
        ensure!(reply.header("content-type") == "image/svg+xml", "{reply:?}");
        ensure!(
            reply.text().contains(&format!("<title>{value}</title>")),
            "{picture}: {}",
            reply.text()
        );
    }
    client
        .get("/badge/77/uptime.svg")
        .await?
        .problem(404, "not-found")?;
    Ok(())
}

#[tokio::test]
async fn certificates_that_end_soon_are_listed() -> anyhow::Result<()> {
    let world = stored().await?;
    let Api {
        client,
        service: _service,
    } = Api::start(&world, &[]).await?;
    let soon = client.json("/api/v1/certificates?within=7d").await?;
    ensure!(soon["items"].as_array().map(Vec::len) == Some(1), "{soon}");
    ensure!(soon["items"][0]["name"] == "fine", "{soon}");
    let sooner = client.json("/api/v1/certificates?within=3d").await?;
    ensure!(sooner["items"] == json!([]), "{sooner}");
    Ok(())
}

#[tokio::test]
async fn the_overview_says_what_is_down_since_when_and_why() -> anyhow::Result<()> {
    let world = stored().await?;
    let Api {
        client,
        service: _service,
    } = Api::start(&world, &[]).await?;
    let overview = client.json("/api/v1/overview?window=24h").await?;
    let fleet = &overview["fleet"];
    let states = &fleet["states"];
    ensure!(
        states["up"] == 1 && states["down"] == 1 && states["unknown"] == 1,
        "{fleet}"
    );
    ensure!(
        fleet["uptime"] == 0.5 && fleet["coverage"] == 1.0,
        "{fleet}"
    );
    let sites = overview["sites"].as_array().context("no sites")?;
    let broken = sites
        .iter()
        .find(|site| site["name"] == "broken")
        .context("no broken site")?;
    ensure!(
        broken["state"] == "down" && broken["since"].is_string(),
        "{broken}"
    );
    ensure!(
        broken["regions"][0]["failure"]["kind"] == "unexpected_status",
        "{broken}"
    );
    ensure!(
        broken["uptime"] == 0.0 && !broken.to_string().contains("hunter2"),
        "{broken}"
    );
    let new = sites
        .iter()
        .find(|site| site["name"] == "new")
        .context("no new site")?;
    ensure!(new["uptime"].is_null() && new["since"].is_null(), "{new}");

    let tagged = client.json("/api/v1/overview?tag=none").await?;
    ensure!(
        tagged["sites"] == json!([]) && tagged["fleet"]["uptime"].is_null(),
        "{tagged}"
    );
    for window in ["30m", "91d", "0s", "90m"] {
        let refused = client
            .get(&format!("/api/v1/overview?window={window}"))
            .await?;
        refused.problem(400, "invalid-request")?;
    }
    Ok(())
}

//! Whatever the OpenAPI document allows is answered as it says, and whatever it forbids is refused.

use std::process::Command;

use anyhow::{Context as _, ensure};
use e2e::{Api, Binary, World, program};
use hyper::Method;
use serde_json::json;

/// Requests that are made up for each operation, besides those that the document's limits suggest.
const REQUESTS: &str = "25";

/// What is not looked for: that everything which fits the schemas is accepted, since no schema can say
/// that a range ends after it begins; and that each wrong token is answered with 401, since too many of
/// them are answered with 429 (`access.rs` tries every operation without and with a wrong one).
const NOT_LOOKED_FOR: &str = "positive_data_acceptance,ignored_auth";

#[tokio::test]
async fn requests_that_are_made_of_the_document_find_nothing() -> anyhow::Result<()> {
    let Some(schemathesis) = program("TEST_SCHEMATHESIS") else {
        // `cargo xtask test` has said why it is not there.
        return Ok(());
    };
    let world = World::new().await?;
    let made = world
        .admin(&["tokens", "create", "all", "--scope", "write"])?
        .success()?;
    let mut words = made.split_whitespace();
    let token = words
        .find(|word| word.starts_with("amt_"))
        .context("no token")?;
    let grant = words
        .find(|word| word.starts_with("all:"))
        .context("no grant")?;
    let api = Api::start(&world, &[("API_TOKENS", grant)]).await?;
    let client = api.client.with_token(token);
    let added = client
        .send_json(Method::POST, "/api/v1/sites", &json!({"url": "http://x"}))
        .await?;
    ensure!(added.status == 201, "{added:?}");
    let now = chrono::Utc::now();
    world
        .send(&[
            World::up(1, now).encode()?,
            World::down(1, now - chrono::TimeDelta::minutes(1)).encode()?,
        ])
        .await?;
    world.run(Binary::Sink, &["--once"])?.success()?;

    let mut command = Command::new(schemathesis);
    command
        .current_dir(world.folder())
        .args([
            "run",
            &format!("http://{}/api/openapi.json", client.address),
        ])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        // A stream of events has no end; `events.rs` follows it.
        .args(["--exclude-path", "/api/v1/events"])
        .args(["--exclude-checks", NOT_LOOKED_FOR])
        .args([
            "--max-examples",
            REQUESTS,
            "--generation-deterministic",
            "--workers",
            "1",
        ])
        .args(["--request-timeout", "30", "--no-color"]);
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let report = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success() && report.contains("passed"),
        "{report}"
    );
    ensure!(
        !api.service.log().contains("\"ERROR\""),
        "{}",
        api.service.log()
    );
    Ok(())
}

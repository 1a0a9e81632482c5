//! Bodies that do not come, or cannot be read.

use monitor_core::Phase;
use serde_json::{Value, json};
use test_servers::{Script, Server, http1};

use super::Scenario;
use crate::site::{SOON, check};

async fn behaving(script: Script, rules: Value) -> anyhow::Result<Scenario> {
    let server = Server::plain([script]).await?;
    let mut site = json!({"url": server.url("http", "/")});
    for (field, value) in rules.as_object().into_iter().flatten() {
        site[field] = value.clone();
    }
    let report = check(site).await;
    Ok(Scenario::ends(Phase::Body, report).status(200))
}

fn half_a_body() -> Script {
    let head = http1::head(200, &[("content-length", "10")]);
    Script::answer(head).send("half ")
}

pub(super) async fn stalled() -> anyhow::Result<Scenario> {
    behaving(half_a_body().wait(), json!({"timeout": SOON})).await
}

pub(super) async fn cut() -> anyhow::Result<Scenario> {
    behaving(half_a_body(), json!({})).await
}

pub(super) async fn not_gzip() -> anyhow::Result<Scenario> {
    let plain = http1::response(200, &[("content-encoding", "gzip")], "not gzip at all");
    behaving(Script::answer(plain), json!({})).await
}

/// What the rule asks for lies beyond what may be read.
pub(super) async fn over_limit() -> anyhow::Result<Scenario> {
    let long = http1::ok("x".repeat(100) + "welcome");
    let rules = json!({"content_regex": "welcome", "body_limit": 50});
    let scenario = behaving(Script::answer(long), rules).await?;
    Ok(Scenario {
        phase: Phase::Assertion,
        ..scenario
    })
}

//! Responses that are not as expected.

use monitor_core::Phase;
use serde_json::{Value, json};
use test_servers::{Script, Server, http1};

use super::Scenario;
use crate::site::check;

async fn judged(response: Vec<u8>, rule: &str, expected: Value) -> anyhow::Result<Scenario> {
    let server = Server::plain([Script::answer(response)]).await?;
    let mut site = json!({"url": server.url("http", "/")});
    site[rule] = expected;
    let report = check(site).await;
    Ok(Scenario::ends(Phase::Assertion, report).status(200))
}

pub(super) async fn status() -> anyhow::Result<Scenario> {
    let error = http1::response(503, &[], "sorry");
    let scenario = judged(error, "expect_status", json!("200-299")).await?;
    Ok(scenario.status(503))
}

pub(super) async fn content() -> anyhow::Result<Scenario> {
    judged(http1::ok("closed"), "content_regex", json!("open")).await
}

pub(super) async fn forbidden_content() -> anyhow::Result<Scenario> {
    judged(http1::ok("error"), "content_regex_absent", json!("error")).await
}

pub(super) async fn header() -> anyhow::Result<Scenario> {
    judged(http1::ok("ok"), "expect_headers", json!({"x-node": "^a"})).await
}

pub(super) async fn json() -> anyhow::Result<Scenario> {
    judged(http1::ok("{}"), "expect_json", json!(["$.status"])).await
}

//! Connections over which no response head comes.

use monitor_core::Phase;
use serde_json::json;
use test_servers::{Script, Server, http1};

use super::Scenario;
use crate::site::{LATE, SOON, check};

async fn behaving(script: Script, timeout: &str) -> anyhow::Result<Scenario> {
    let server = Server::plain([script]).await?;
    let site = json!({"url": server.url("http", "/"), "timeout": timeout});
    Ok(Scenario::ends(Phase::FirstByte, check(site).await))
}

pub(super) async fn silence() -> anyhow::Result<Scenario> {
    behaving(Script::new().read_request().wait(), SOON).await
}

pub(super) async fn close() -> anyhow::Result<Scenario> {
    behaving(Script::new().read_request(), LATE).await
}

pub(super) async fn reset() -> anyhow::Result<Scenario> {
    behaving(Script::new().read_request().reset(), LATE).await
}

pub(super) async fn other_protocol() -> anyhow::Result<Scenario> {
    behaving(Script::answer("220 mail.test ESMTP\r\n").wait(), LATE).await
}

pub(super) async fn endless_headers() -> anyhow::Result<Scenario> {
    let start = http1::head(200, &[]);
    let script = Script::new().read_request().send(&start[..start.len() - 2]);
    let header = "x: ".to_owned() + &"y".repeat(1000) + "\r\n";
    behaving(script.send_forever(header), LATE).await
}

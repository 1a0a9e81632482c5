//! Redirects that are not followed.

use monitor_core::Phase;
use serde_json::json;
use test_servers::{Script, Server, http1};

use super::Scenario;
use crate::site::check;

async fn answering(response: Vec<u8>) -> anyhow::Result<Scenario> {
    let server = Server::plain([Script::answer(response)]).await?;
    let site = json!({"url": server.url("http", "/"), "redirects": 3});
    let report = check(site).await;
    Ok(Scenario::ends(Phase::FirstByte, report).status(302))
}

pub(super) async fn circle() -> anyhow::Result<Scenario> {
    answering(http1::redirect(302, "/")).await
}

pub(super) async fn without_location() -> anyhow::Result<Scenario> {
    answering(http1::response(302, &[], "")).await
}

pub(super) async fn to_a_file() -> anyhow::Result<Scenario> {
    answering(http1::redirect(302, "file:///etc/hostname")).await
}

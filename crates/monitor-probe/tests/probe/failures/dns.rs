//! Names that do not resolve.

use monitor_core::Phase;
use serde_json::json;
use test_servers::{Answer, DnsServer, ResponseCode, Zone};

use super::Scenario;
use crate::site::{LATE, SOON, check_by_name};

async fn answered(zone: Zone, timeout: &str) -> anyhow::Result<Scenario> {
    let dns = DnsServer::start(zone).await?;
    let site = json!({"url": "http://site.test/", "timeout": timeout});
    let report = check_by_name(&dns, site).await;
    Ok(Scenario::ends(Phase::Dns, report).named())
}

pub(super) async fn no_such_name() -> anyhow::Result<Scenario> {
    answered(Zone::new(), LATE).await
}

pub(super) async fn server_fails() -> anyhow::Result<Scenario> {
    let failure = Answer::Code(ResponseCode::ServFail);
    answered(Zone::new().name("site.test", failure), LATE).await
}

pub(super) async fn server_refuses() -> anyhow::Result<Scenario> {
    let refusal = Answer::Code(ResponseCode::Refused);
    answered(Zone::new().name("site.test", refusal), LATE).await
}

pub(super) async fn server_is_silent() -> anyhow::Result<Scenario> {
    answered(Zone::new().name("site.test", Answer::Silence), SOON).await
}

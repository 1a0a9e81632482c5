//! Trouble of the checker's own.

use monitor_core::Phase;
use serde_json::json;
use test_servers::{Authority, Leaf, Script, Server, http1};
use tokio::net::TcpStream;

use super::Scenario;
use crate::namespace::in_network;
use crate::site::check;

pub(super) async fn no_route() -> anyhow::Result<Scenario> {
    let site = json!({"url": "http://203.0.113.9/"});
    let report = in_network("ip link set lo up", async move || check(site).await).await?;
    Ok(Scenario::ends(Phase::Connect, report))
}

/// Of two ports, the server has one, and another connection the other.
pub(super) async fn no_port_left() -> anyhow::Result<Scenario> {
    let setup = "
        ip link set lo up
        echo 40000 40001 > /proc/sys/net/ipv4/ip_local_port_range";
    let report = in_network(setup, async || {
        let server = Server::plain([Script::answer(http1::ok("ok"))]).await?;
        let _other = TcpStream::connect(server.address()).await?;
        anyhow::Ok(check(json!({"url": server.url("http", "/")})).await)
    });
    Ok(Scenario::ends(Phase::Connect, report.await??))
}

pub(super) async fn unusable_authority() -> anyhow::Result<Scenario> {
    let identity = Authority::root()?.issue(&Leaf::default())?;
    let server = Server::tls(identity.server(&[])?, []).await?;
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let site = json!({"url": server.url("https", "/"), "tls_ca": nonsense});
    Ok(Scenario::ends(Phase::Tls, check(site).await).https())
}

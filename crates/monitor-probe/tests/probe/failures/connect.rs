//! Addresses that cannot be connected to.

use monitor_core::Phase;
use monitor_probe::ProberSettings;
use serde_json::json;
use test_servers::{ClosedPort, FullBacklog, Server};

use super::Scenario;
use crate::namespace::in_network;
use crate::site::{SOON, check, check_with};

pub(super) async fn closed_port() -> anyhow::Result<Scenario> {
    let port = ClosedPort::new()?;
    let site = json!({"url": format!("http://{}/", port.address())});
    Ok(Scenario::ends(Phase::Connect, check(site).await))
}

pub(super) async fn full_backlog() -> anyhow::Result<Scenario> {
    let listener = FullBacklog::new().await?;
    let url = format!("http://{}/", listener.address());
    let report = check(json!({"url": url, "timeout": SOON})).await;
    Ok(Scenario::ends(Phase::Connect, report))
}

pub(super) async fn private_address() -> anyhow::Result<Scenario> {
    let server = Server::plain([]).await?;
    let site = json!({"url": server.url("http", "/")});
    let report = check_with(&ProberSettings::default(), site).await;
    anyhow::ensure!(server.connections() == 0, "it was connected to");
    Ok(Scenario::ends(Phase::Connect, report))
}

/// An address of a network that we are in, which nobody there has.
pub(super) async fn no_such_neighbour() -> anyhow::Result<Scenario> {
    let setup = "
        ip link set lo up
        ip link add near0 type veth peer name far0
        ip addr add 198.51.100.1/24 dev near0
        ip link set near0 up
        ip link set far0 up
        echo 1 > /proc/sys/net/ipv4/neigh/near0/mcast_solicit
        echo 50 > /proc/sys/net/ipv4/neigh/near0/retrans_time_ms";
    let site = json!({"url": "http://198.51.100.9/"});
    let report = in_network(setup, async move || check(site).await).await?;
    Ok(Scenario::ends(Phase::Connect, report))
}

/// The other end of our cable is a router, which says that there is no such network.
pub(super) async fn router_without_a_route() -> anyhow::Result<Scenario> {
    let setup = "
        ip link set lo up
        ip link add near0 type veth peer name far0 address 02:00:00:00:00:02
        ip addr add 198.51.100.1/24 dev near0
        ip link set near0 up
        ip link set far0 up
        ip neigh add 198.51.100.2 lladdr 02:00:00:00:00:02 dev near0
        ip route add 203.0.113.0/24 via 198.51.100.2
        ip rule add iif far0 unreachable
        echo 1 > /proc/sys/net/ipv4/ip_forward
        echo 1 > /proc/sys/net/ipv4/conf/far0/accept_local";
    let site = json!({"url": "http://203.0.113.9/"});
    let report = in_network(setup, async move || check(site).await).await?;
    Ok(Scenario::ends(Phase::Connect, report))
}

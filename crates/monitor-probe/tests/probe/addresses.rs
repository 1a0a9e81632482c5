//! From a host to a connection: names, families, and more than one address.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use monitor_core::{FailureKind, Outcome};
use monitor_probe::{ProberSettings, Report};
use serde_json::json;
use test_servers::{
    Answer, ClosedPort, DnsServer, FullBacklog, ResponseCode, Script, Server, Zone, http1, network,
};

use crate::namespace::in_network;
use crate::site::{LATE, SOON, check, check_by_name, check_with, kind, settings};

fn answer() -> Script {
    Script::answer(http1::ok("fine"))
}

/// A name server that knows where `site.test` is.
async fn name_server(addresses: &[&str]) -> DnsServer {
    let addresses: Vec<_> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    let zone = Zone::new().addresses("site.test", &addresses);
    DnsServer::start(zone).await.unwrap()
}

fn remote(report: &Report) -> Option<&str> {
    report.http.as_ref()?.remote_addr.as_deref()
}

fn url(server: &Server) -> String {
    format!("http://site.test:{}/", server.port())
}

#[tokio::test]
async fn a_name_is_resolved_and_that_takes_its_time() {
    let server = Server::plain([answer()]).await.unwrap();
    let dns = name_server(&["127.0.0.1"]).await;
    let report = check_by_name(&dns, json!({"url": url(&server)})).await;
    assert_eq!(report.outcome, Outcome::Up);
    assert!(report.timings_us.dns.is_some());
    let host = format!("host: site.test:{}\r\n", server.port());
    assert!(server.requests()[0].contains(&host));
}

#[tokio::test]
async fn an_ipv6_address_is_a_host() {
    let server = Server::start((Ipv6Addr::LOCALHOST, 0).into(), None, [answer()])
        .await
        .unwrap();
    let report = check(json!({"url": server.url("http", "/")})).await;
    assert_eq!(report.outcome, Outcome::Up);
    assert_eq!(remote(&report), Some(server.address().to_string().as_str()));
    assert_eq!(report.timings_us.dns, None);
}

#[tokio::test]
async fn a_site_chooses_among_the_families_of_its_name() {
    let dns = name_server(&["127.0.0.1", "::1"]).await;
    for (family, address) in [
        ("v4", SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        ("v6", SocketAddr::from((Ipv6Addr::LOCALHOST, 0))),
    ] {
        let server = Server::start(address, None, [answer()]).await.unwrap();
        let site = json!({"url": url(&server), "ip_family": family});
        let report = check_by_name(&dns, site).await;
        assert_eq!(report.outcome, Outcome::Up, "{family}");
        assert_eq!(remote(&report), Some(server.address().to_string().as_str()));
    }
}

#[tokio::test]
async fn a_name_without_an_address_of_the_family_is_as_good_as_none() {
    let dns = name_server(&["127.0.0.1"]).await;
    let site = json!({"url": "http://site.test/", "ip_family": "v6"});
    let report = check_by_name(&dns, site).await;
    assert_eq!(kind(&report), Some(FailureKind::DnsNotFound));
}

/// A server on 127.0.0.1, and a silent one on the same port of `::1`.
async fn server_beside_a_silent_one() -> (Server, FullBacklog) {
    loop {
        let silent = FullBacklog::start((Ipv6Addr::LOCALHOST, 0).into())
            .await
            .unwrap();
        let address = (Ipv4Addr::LOCALHOST, silent.address().port()).into();
        if let Ok(server) = Server::start(address, None, [answer()]).await {
            return (server, silent);
        }
    }
}

#[tokio::test]
async fn a_silent_address_does_not_hold_up_the_next_one() {
    let (server, _silent) = server_beside_a_silent_one().await;
    let dns = name_server(&["127.0.0.1", "::1"]).await;
    let report = check_by_name(&dns, json!({"url": url(&server)})).await;
    assert_eq!(report.outcome, Outcome::Up);
    assert_eq!(remote(&report), Some(server.address().to_string().as_str()));
}

#[tokio::test]
async fn a_closed_address_does_not_hide_the_next_one() {
    let server = Server::plain([answer()]).await.unwrap();
    let dns = name_server(&["127.0.0.2", "127.0.0.1"]).await;
    let report = check_by_name(&dns, json!({"url": url(&server)})).await;
    assert_eq!(report.outcome, Outcome::Up);
}

#[tokio::test]
async fn a_name_of_the_hosts_file_needs_no_name_server() {
    let server = Server::plain([answer()]).await.unwrap();
    let nobody = ClosedPort::new().unwrap();
    let settings = ProberSettings {
        name_servers: vec![nobody.address()],
        ..settings()
    };
    let url = format!("http://localhost:{}/", server.port());
    let report = check_with(&settings, json!({"url": url})).await;
    assert_eq!(report.outcome, Outcome::Up);
}

#[tokio::test]
async fn a_name_server_that_no_way_leads_to_is_our_trouble() {
    if !network::is_available() {
        return;
    }
    let settings = ProberSettings {
        name_servers: vec![(Ipv4Addr::new(203, 0, 113, 53), 53).into()],
        ..settings()
    };
    let site = json!({"url": "http://site.test/"});
    let checking = in_network("ip link set lo up", async move || {
        check_with(&settings, site).await
    });
    let report = checking.await.unwrap();
    assert_eq!(kind(&report), Some(FailureKind::CheckerNetwork));
    assert_eq!(report.outcome, Outcome::Error);
}

/// Whether the deadline or the patience with name servers ends first.
#[tokio::test]
async fn a_name_server_that_answers_nothing_is_our_trouble() {
    let zone = Zone::new()
        .name("site.test", Answer::Silence)
        .name("", Answer::Silence);
    let dns = DnsServer::start(zone).await.unwrap();
    for timeout in [SOON, LATE] {
        let site = json!({"url": "http://site.test/", "timeout": timeout});
        let report = check_by_name(&dns, site).await;
        assert_eq!(
            kind(&report),
            Some(FailureKind::CheckerNetwork),
            "{timeout}"
        );
        assert_eq!(report.outcome, Outcome::Error);
    }
}

#[tokio::test]
async fn a_name_server_that_answers_for_others_is_not_our_trouble() {
    for root in [
        Answer::Code(ResponseCode::Refused),
        Answer::Addresses(Vec::new()),
    ] {
        let zone = Zone::new()
            .name("site.test", Answer::Silence)
            .name("", root.clone());
        let dns = DnsServer::start(zone).await.unwrap();
        let site = json!({"url": "http://site.test/", "timeout": SOON});
        let report = check_by_name(&dns, site).await;
        assert_eq!(kind(&report), Some(FailureKind::DnsTimeout), "{root:?}");
    }
}

#[tokio::test]
async fn a_second_name_server_is_asked_when_the_first_is_silent() {
    let server = Server::plain([answer()]).await.unwrap();
    let silent = Zone::new().name("site.test", Answer::Silence);
    let silent = DnsServer::start(silent).await.unwrap();
    let dns = name_server(&["127.0.0.1"]).await;
    let settings = ProberSettings {
        name_servers: vec![silent.address(), dns.address()],
        ..settings()
    };
    let report = check_with(&settings, json!({"url": url(&server)})).await;
    assert_eq!(report.outcome, Outcome::Up);
}

/// So many that they do not fit into a datagram.
#[tokio::test]
async fn of_very_many_addresses_a_few_are_tried() {
    let addresses: Vec<_> = (1..=200)
        .map(|last| Ipv4Addr::new(127, 0, 1, last).into())
        .collect();
    let zone = Zone::new().addresses("site.test", &addresses);
    let dns = DnsServer::start(zone).await.unwrap();
    let nobody = ClosedPort::new().unwrap();
    let url = format!("http://site.test:{}/", nobody.address().port());
    let report = check_by_name(&dns, json!({"url": url})).await;
    assert_eq!(kind(&report), Some(FailureKind::ConnectionRefused));
}

/// In far less time than a name server is given to answer.
#[tokio::test]
async fn a_family_that_is_never_answered_for_does_not_hold_up_the_other() {
    let server = Server::plain([answer()]).await.unwrap();
    let zone = Zone::new().name("site.test", Answer::OnlyV4(vec![Ipv4Addr::LOCALHOST]));
    let dns = DnsServer::start(zone).await.unwrap();
    for family in ["any", "v4"] {
        let site = json!({"url": url(&server), "ip_family": family, "timeout": "1500ms"});
        let report = check_by_name(&dns, site).await;
        assert_eq!(report.failure, None, "{family}");
    }
}

#[tokio::test]
async fn a_name_server_that_talks_nonsense_is_not_believed() {
    let zone = Zone::new().name("site.test", Answer::Garbage);
    let dns = DnsServer::start(zone).await.unwrap();
    let site = json!({"url": "http://site.test/", "timeout": SOON});
    let report = check_by_name(&dns, site).await;
    assert!(matches!(
        kind(&report),
        Some(FailureKind::DnsTimeout | FailureKind::DnsError)
    ));
}

#[tokio::test]
async fn a_name_that_has_come_into_being_is_found_at_the_next_check() {
    let server = Server::plain([answer()]).await.unwrap();
    let zone = Zone::new().name(
        "site.test",
        Answer::InTurn(vec![vec![], vec![Ipv4Addr::LOCALHOST.into()]]),
    );
    let dns = DnsServer::start(zone).await.unwrap();
    let settings = ProberSettings {
        name_servers: vec![dns.address()],
        ..settings()
    };
    let prober = monitor_probe::Prober::new(&settings).unwrap();
    let site = crate::site::site(json!({"url": url(&server), "ip_family": "v4"}));
    let first = prober.check(&site, chrono::Utc::now()).await;
    assert_eq!(kind(&first), Some(FailureKind::DnsNotFound));
    let second = prober.check(&site, chrono::Utc::now()).await;
    assert_eq!(second.failure, None);
}

#[tokio::test]
async fn some_servers_codes_are_the_trouble_of_a_name() {
    for code in [
        ResponseCode::Refused,
        ResponseCode::NotImp,
        ResponseCode::FormErr,
    ] {
        let zone = Zone::new().name("site.test", Answer::Code(code));
        let dns = DnsServer::start(zone).await.unwrap();
        let report = check_by_name(&dns, json!({"url": "http://site.test/"})).await;
        assert_eq!(kind(&report), Some(FailureKind::DnsError), "{code}");
    }
}

#[tokio::test]
async fn of_a_name_only_the_addresses_that_are_allowed_are_connected_to() {
    let server = Server::plain([answer()]).await.unwrap();
    let other = Server::start(
        (Ipv4Addr::new(127, 0, 0, 2), server.port()).into(),
        None,
        [answer()],
    );
    let other = other.await.unwrap();
    let dns = name_server(&["127.0.0.2", "127.0.0.1"]).await;
    let settings = ProberSettings {
        allow_private_targets: false,
        allowed_networks: vec!["127.0.0.1/32".parse().unwrap()],
        name_servers: vec![dns.address()],
        ..ProberSettings::default()
    };
    let report = check_with(&settings, json!({"url": url(&server)})).await;
    assert_eq!(report.outcome, Outcome::Up);
    assert_eq!(other.connections(), 0);
}

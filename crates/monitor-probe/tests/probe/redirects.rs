//! Where redirects lead, and what goes along.

use std::net::Ipv4Addr;

use monitor_core::{FailureKind, Outcome};
use monitor_probe::{ProberSettings, Report};
use serde_json::{Value, json};
use test_servers::{Answer, Authority, DnsServer, Leaf, Script, Server, Zone, http1};

use crate::site::{check, check_with, kind};

/// Checks a server that first redirects and then answers.
async fn redirected(status: u16, fields: Value) -> (Report, Vec<String>) {
    let scripts = [
        Script::answer(http1::redirect(status, "/next?q=1")),
        Script::answer(http1::ok("there")),
    ];
    let server = Server::plain(scripts).await.unwrap();
    let mut fields = fields;
    fields["url"] = json!(server.url("http", "/first"));
    (check(fields).await, server.requests())
}

fn method(request: &str) -> &str {
    request.split(' ').next().unwrap_or_default()
}

#[tokio::test]
async fn only_307_and_308_repeat_a_post() {
    for (status, expected) in [
        (301, "GET"),
        (302, "GET"),
        (303, "GET"),
        (307, "POST"),
        (308, "POST"),
    ] {
        let fields = json!({"method": "POST", "body": "hello"});
        let (report, requests) = redirected(status, fields).await;
        assert_eq!(report.outcome, Outcome::Up, "{status}");
        assert_eq!(method(&requests[1]), expected, "{status}");
        assert_eq!(
            requests[1].ends_with("hello"),
            expected == "POST",
            "{status}"
        );
        assert!(requests[1].contains(" /next?q=1 HTTP/1.1\r\n"));
    }
}

#[tokio::test]
async fn a_head_stays_a_head() {
    let (_, requests) = redirected(303, json!({"method": "HEAD"})).await;
    assert_eq!(method(&requests[1]), "HEAD");
}

#[tokio::test]
async fn each_hop_is_recorded_with_its_times() {
    let (report, _) = redirected(302, json!({})).await;
    let http = report.http.unwrap();
    assert_eq!(http.redirects, 1);
    assert!(http.final_url.unwrap().ends_with("/next"));
    let [hop] = &http.hops[..] else {
        panic!("{:?}", http.hops)
    };
    assert!(hop.url.ends_with("/first"));
    assert_eq!(hop.status_code, 302);
    assert_eq!(hop.remote_addr, http.remote_addr);
    assert!(hop.timings_us.connect.is_some());
    assert!(hop.timings_us.first_byte.is_some());
    assert_eq!(hop.timings_us.transfer, None);
    let hops = [hop.timings_us, report.timings_us];
    let sum: u32 = hops
        .iter()
        .flat_map(|times| [times.connect, times.first_byte])
        .flatten()
        .sum();
    assert!(report.timings_us.total >= Some(sum));
}

#[tokio::test]
async fn without_redirects_the_response_itself_is_judged() {
    let fields = json!({"redirects": 0, "expect_status": 302});
    let (report, requests) = redirected(302, fields).await;
    assert_eq!(report.outcome, Outcome::Up);
    assert_eq!(requests.len(), 1);
}

#[tokio::test]
async fn a_status_that_is_no_redirect_leads_nowhere() {
    let fields = json!({"expect_status": 304});
    let (report, requests) = redirected(304, fields).await;
    assert_eq!(report.failure, None);
    assert_eq!(requests.len(), 1);
}

#[tokio::test]
async fn as_many_redirects_as_allowed_are_followed() {
    let scripts = [
        Script::answer(http1::redirect(302, "/2")),
        Script::answer(http1::redirect(302, "/3")),
        Script::answer(http1::ok("there")),
    ];
    for (redirects, expected) in [(2, None), (1, Some(FailureKind::RedirectLimit))] {
        let server = Server::plain(scripts.clone()).await.unwrap();
        let url = server.url("http", "/1");
        let report = check(json!({"url": url, "redirects": redirects})).await;
        assert_eq!(kind(&report), expected, "{redirects}");
        assert_eq!(report.http.unwrap().redirects, redirects);
    }
}

#[tokio::test]
async fn a_location_that_nobody_encoded_is_followed() {
    let scripts = [
        Script::answer(http1::redirect(302, "/grüße")),
        Script::answer(http1::ok("there")),
    ];
    let server = Server::plain(scripts).await.unwrap();
    let report = check(json!({"url": server.url("http", "/")})).await;
    assert_eq!(report.failure, None);
    assert!(server.requests()[1].starts_with("GET /gr%C3%BC%C3%9Fe "));
}

#[tokio::test]
async fn what_describes_a_body_goes_where_it_goes() {
    let headers = json!({"Content-Type": "text/plain", "Content-Language": "en"});
    for (status, kept) in [(303, false), (307, true)] {
        let fields = json!({"method": "POST", "body": "hello", "headers": headers});
        let (_, requests) = redirected(status, fields).await;
        assert_eq!(requests[1].contains("content-"), kept, "{status}");
    }
}

#[tokio::test]
async fn credentials_do_not_go_to_another_origin() {
    let other = Server::plain([Script::answer(http1::ok("there"))])
        .await
        .unwrap();
    let redirect = http1::redirect(307, &other.url("http", "/"));
    let first = Server::plain([Script::answer(redirect)]).await.unwrap();
    let report = check(json!({
        "url": first.url("http", "/"),
        "headers": {"Authorization": "Bearer s3cret", "Cookie": "id=s3cret", "X-Own": "1"},
    }))
    .await;
    assert_eq!(report.outcome, Outcome::Up);
    assert_eq!(first.requests()[0].matches("s3cret").count(), 2);
    assert!(!other.requests()[0].contains("s3cret"));
    assert!(other.requests()[0].contains("x-own: 1\r\n"));
}

#[tokio::test]
async fn encryption_is_not_given_up_on_the_way() {
    let plain = Server::plain([Script::answer(http1::ok("there"))])
        .await
        .unwrap();
    let authority = Authority::root().unwrap();
    let config = authority.issue(&Leaf::default()).unwrap().server(&[]);
    let redirect = Script::answer(http1::redirect(302, &plain.url("http", "/")));
    let server = Server::tls(config.unwrap(), [redirect]).await.unwrap();
    let site = json!({"url": server.url("https", "/"), "tls_ca": authority.pem()});
    let report = check(site).await;
    assert_eq!(kind(&report), Some(FailureKind::RedirectNotAllowed));
    assert_eq!(plain.connections(), 0);
}

/// Only 127.0.0.1 may be checked, and names are asked of this server.
fn only_the_first_address(dns: &DnsServer) -> ProberSettings {
    ProberSettings {
        allow_private_targets: false,
        allowed_networks: vec!["127.0.0.1/32".parse().unwrap()],
        name_servers: vec![dns.address()],
        ..ProberSettings::default()
    }
}

async fn inner_server() -> Server {
    let address = (Ipv4Addr::new(127, 0, 0, 2), 0).into();
    let script = Script::answer(http1::ok("secrets"));
    Server::start(address, None, [script]).await.unwrap()
}

#[tokio::test]
async fn a_redirect_does_not_lead_into_the_network_of_the_checker() {
    let inner = inner_server().await;
    let dns = DnsServer::start(Zone::new()).await.unwrap();
    let redirect = http1::redirect(302, &inner.url("http", "/"));
    let server = Server::plain([Script::answer(redirect)]).await.unwrap();
    let site = json!({"url": server.url("http", "/")});
    let report = check_with(&only_the_first_address(&dns), site).await;
    assert_eq!(kind(&report), Some(FailureKind::AddressNotAllowed));
    assert_eq!(report.status_code, Some(302));
    assert_eq!(inner.connections(), 0);
}

#[tokio::test]
async fn a_name_that_changes_between_two_hops_is_looked_at_again() {
    let inner = inner_server().await;
    let addresses = [Ipv4Addr::LOCALHOST, Ipv4Addr::new(127, 0, 0, 2)];
    let rebinding = Answer::InTurn(addresses.map(|address| vec![address.into()]).to_vec());
    let dns = DnsServer::start(Zone::new().name("site.test", rebinding))
        .await
        .unwrap();
    let location = format!("http://site.test:{}/", inner.port());
    let server = Server::plain([Script::answer(http1::redirect(302, &location))])
        .await
        .unwrap();
    let url = format!("http://site.test:{}/", server.port());
    let site = json!({"url": url, "ip_family": "v4"});
    let report = check_with(&only_the_first_address(&dns), site).await;
    assert_eq!(kind(&report), Some(FailureKind::AddressNotAllowed));
    assert_eq!(dns.asked("site.test"), 2);
    assert_eq!(inner.connections(), 0);
}

//! HTTP/1.1 and HTTP/2, by choice and by agreement.

use monitor_core::{FailureKind, Outcome, Phase};
use serde_json::{Value, json};
use test_servers::{Authority, Leaf, Script, Server, http1, http2};
use tokio::task::JoinSet;

use crate::site::{check, kind};

fn http2_answer() -> Script {
    Script::new().read_any().send(http2::ok(b"two")).wait()
}

/// Checks a server that offers these protocols, with this choice.
async fn agreed(alpn: &[&str], script: Script, choice: &str) -> monitor_probe::Report {
    let authority = Authority::root().unwrap();
    let config = authority.issue(&Leaf::default()).unwrap().server(alpn);
    let server = Server::tls(config.unwrap(), [script]).await.unwrap();
    let url = server.url("https", "/");
    check(json!({"url": url, "tls_ca": authority.pem(), "http_version": choice})).await
}

fn version(report: &monitor_probe::Report) -> Option<&str> {
    report.http.as_ref()?.version.as_deref()
}

#[tokio::test]
async fn plain_text_is_http1_unless_the_site_says_otherwise() {
    let server = Server::plain([Script::answer(http1::ok("fine"))])
        .await
        .unwrap();
    let report = check(json!({"url": server.url("http", "/a?b=c")})).await;
    assert_eq!(report.outcome, Outcome::Up);
    assert_eq!(report.status_code, Some(200));
    let http = report.http.unwrap();
    assert_eq!(http.version.as_deref(), Some("1.1"));
    assert_eq!(http.remote_addr, Some(server.address().to_string()));
    assert_eq!(http.final_url, Some(server.url("http", "/a")));
    assert_eq!(http.body_bytes, 4);
    let request = &server.requests()[0];
    assert!(request.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{request}");
    assert!(
        request.contains(&format!("host: {}\r\n", server.address())),
        "{request}"
    );
}

#[tokio::test]
async fn a_response_of_http_1_0_that_ends_with_its_connection_is_whole() {
    let script = Script::answer("HTTP/1.0 200 OK\r\n\r\nold but fine");
    let server = Server::plain([script]).await.unwrap();
    let rules = json!({"url": server.url("http", "/"), "content_regex": "fine$"});
    let report = check(rules).await;
    assert_eq!(report.outcome, Outcome::Up);
    assert_eq!(version(&report), Some("1.0"));
}

#[tokio::test]
async fn a_server_that_offers_http2_is_spoken_to_in_http2() {
    let report = agreed(&["h2", "http/1.1"], http2_answer(), "auto").await;
    assert_eq!(report.failure, None);
    assert_eq!(version(&report), Some("2"));
    assert_eq!(report.http.unwrap().body_bytes, 3);
}

#[tokio::test]
async fn a_server_that_offers_nothing_is_spoken_to_in_http1() {
    let report = agreed(&[], Script::answer(http1::ok("one")), "auto").await;
    assert_eq!(report.failure, None);
    assert_eq!(version(&report), Some("1.1"));
}

#[tokio::test]
async fn a_site_can_insist_on_http1() {
    let script = Script::answer(http1::ok("one"));
    let report = agreed(&["h2", "http/1.1"], script, "1.1").await;
    assert_eq!(report.failure, None);
    assert_eq!(version(&report), Some("1.1"));
}

#[tokio::test]
async fn a_site_that_insists_on_http2_is_down_where_there_is_none() {
    let report = agreed(&[], Script::answer(http1::ok("one")), "2").await;
    assert_eq!(kind(&report), Some(FailureKind::ProtocolError));
    assert_eq!(report.failure.unwrap().phase, Some(Phase::Tls));
}

#[tokio::test]
async fn plain_text_can_be_http2_by_prior_knowledge() {
    let server = Server::plain([http2_answer()]).await.unwrap();
    let report = check(json!({"url": server.url("http", "/"), "http_version": "2"})).await;
    assert_eq!(report.failure, None);
    assert_eq!(version(&report), Some("2"));
}

#[tokio::test]
async fn a_server_that_has_not_heard_of_http2_breaks_its_rules() {
    let refusal = Script::new()
        .read_any()
        .send(http1::response(400, &[], "?"));
    let server = Server::plain([refusal]).await.unwrap();
    let report = check(json!({"url": server.url("http", "/"), "http_version": "2"})).await;
    assert_eq!(kind(&report), Some(FailureKind::ProtocolError));
}

#[tokio::test]
async fn a_site_that_insists_on_http2_is_down_where_only_http1_is_offered() {
    let report = agreed(&["http/1.1"], Script::answer(http1::ok("one")), "2").await;
    assert_eq!(kind(&report), Some(FailureKind::ProtocolError));
    assert_eq!(report.failure.unwrap().phase, Some(Phase::Tls));
}

/// As servers of mail and shells do. Who is first differs from check to check.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_speaks_first_breaks_the_protocol() {
    let banner = Script::new().send("220 mail.test ESMTP\r\n").wait();
    let server = Server::plain([banner]).await.unwrap();
    let mut checks = JoinSet::new();
    for _ in 0..100 {
        checks.spawn(check(json!({"url": server.url("http", "/")})));
    }
    for report in checks.join_all().await {
        assert_eq!(
            kind(&report),
            Some(FailureKind::ProtocolError),
            "{report:?}"
        );
    }
}

#[tokio::test]
async fn informational_responses_are_not_the_response() {
    let early = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n";
    let script = Script::answer([early.as_bytes(), &http1::ok("fine")].concat());
    let server = Server::plain([script]).await.unwrap();
    let report = check(json!({"url": server.url("http", "/")})).await;
    assert_eq!(report.status_code, Some(200));
}

/// The site's method, headers and body, as the server gets them.
async fn sent(fields: Value) -> String {
    let server = Server::plain([Script::answer(http1::ok(""))])
        .await
        .unwrap();
    let mut fields = fields;
    fields["url"] = json!(server.url("http", "/"));
    assert_eq!(check(fields).await.failure, None);
    server.requests().remove(0)
}

#[tokio::test]
async fn a_request_carries_what_the_site_says() {
    let request = sent(json!({
        "method": "PUT", "body": "hello", "headers": {"X-Own": "1", "User-Agent": "me"},
    }))
    .await;
    assert!(request.starts_with("PUT / HTTP/1.1\r\n"), "{request}");
    for part in [
        "x-own: 1\r\n",
        "user-agent: me\r\n",
        "content-length: 5\r\n",
    ] {
        assert!(request.contains(part), "{request}");
    }
    assert!(request.ends_with("\r\n\r\nhello"), "{request}");
}

#[tokio::test]
async fn a_request_names_the_checker_unless_the_site_has_a_name() {
    let request = sent(json!({})).await;
    assert!(request.contains("user-agent: aiven-monitor/"), "{request}");
}

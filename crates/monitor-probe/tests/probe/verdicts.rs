//! From what was seen to an outcome: warnings, retries and times.

use std::time::Duration;

use chrono::Utc;
use monitor_core::event::{CheckEvent, Warning};
use monitor_core::site::SiteId;
use monitor_core::{FailureKind, Outcome, Slot};
use monitor_probe::Report;
use serde_json::json;
use test_servers::{Authority, Leaf, Script, Server, http1};

use crate::site::{SOON, check, kind};

#[tokio::test]
async fn a_slow_answer_calls_for_attention() {
    let late = Script::new()
        .read_request()
        .pause(Duration::from_millis(50));
    let server = Server::plain([late.send(http1::ok("fine"))]).await.unwrap();
    let site = json!({"url": server.url("http", "/"), "max_response_time": "20ms"});
    let report = check(site).await;
    assert_eq!(report.outcome, Outcome::Degraded);
    assert_eq!(report.warnings, [Warning::SlowResponse]);
}

#[tokio::test]
async fn a_failure_is_followed_by_as_many_retries_as_allowed() {
    let scripts = [
        Script::new().read_request(),
        Script::answer(http1::ok("fine")),
    ];
    for (retries, outcome, attempts) in [(0, Outcome::Down, 1), (2, Outcome::Up, 2)] {
        let server = Server::plain(scripts.clone()).await.unwrap();
        let site = json!({"url": server.url("http", "/"), "retries": retries});
        let report = check(site).await;
        assert_eq!(report.outcome, outcome);
        assert_eq!(report.attempts, attempts);
        assert_eq!(server.connections(), usize::from(attempts));
    }
}

#[tokio::test]
async fn the_last_of_several_failures_is_told() {
    let scripts = [
        Script::new().read_request(),
        Script::answer("nonsense\r\n\r\n"),
    ];
    let server = Server::plain(scripts).await.unwrap();
    let report = check(json!({"url": server.url("http", "/"), "retries": 1})).await;
    assert_eq!(kind(&report), Some(FailureKind::ProtocolError));
    assert_eq!(report.attempts, 2);
}

#[tokio::test]
async fn retries_end_with_the_deadline() {
    let scripts = [Script::new().read_request(), Script::new().wait()];
    let server = Server::plain(scripts).await.unwrap();
    let site = json!({"url": server.url("http", "/"), "retries": 5, "timeout": SOON});
    let report = check(site).await;
    assert_eq!(kind(&report), Some(FailureKind::FirstByteTimeout));
    assert_eq!(report.attempts, 2);
}

async fn whole_check() -> Report {
    let authority = Authority::root().unwrap();
    let identity = authority.intermediate().unwrap().issue(&Leaf::default());
    let config = identity.unwrap().server(&[]).unwrap();
    let server = Server::tls(config, [Script::answer(http1::ok("fine"))]);
    let server = server.await.unwrap();
    check(json!({"url": server.url("https", "/"), "tls_ca": authority.pem()})).await
}

#[tokio::test]
async fn no_phase_is_counted_twice() {
    let times = whole_check().await.timings_us;
    let phases = [times.connect, times.tls, times.first_byte, times.transfer];
    assert!(phases.iter().all(Option::is_some), "{times:?}");
    let sum: u32 = phases.iter().flatten().sum();
    assert!(times.total >= Some(sum), "{times:?}");
}

#[tokio::test]
async fn what_a_check_says_is_an_event_that_can_be_read() {
    let slot = Slot {
        site_id: SiteId(7),
        region: "eu-north".parse().unwrap(),
        scheduled_at: "2026-01-01T00:00:00Z".parse().unwrap(),
    };
    let event = whole_check()
        .await
        .into_event(&slot, "checker-1", Utc::now());
    let read = CheckEvent::decode(&event.encode().unwrap()).unwrap();
    assert_eq!(read.slot(), slot);
    assert!(read.tls.unwrap().chain.is_empty());
}

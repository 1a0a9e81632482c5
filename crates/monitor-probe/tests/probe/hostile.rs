//! Servers that mean harm: each check of one ends in its time, with a verdict, in bounded memory.

use std::fs;
use std::time::Duration;

use monitor_core::FailureKind::{
    BodyIncomplete, BodyTimeout, ConnectionReset, FirstByteTimeout, HeaderTooLarge, NoResponse,
    ProtocolError, TlsHandshake,
};
use monitor_core::{FailureKind, Phase};
use serde_json::json;
use test_servers::http2::{self, Kind};
use test_servers::{Authority, Leaf, Script, Server, http1, unreadable};

use crate::site::{SOON, check, kind};

/// Most memory that all tests together may have had, in KiB. What a flood brings in its time would
/// not fit, were it kept.
const MOST_MEMORY: u64 = 128 * 1024;

/// What becomes of a check whose server plays this script; the site insists on this version.
async fn attacked(script: Script, version: &str) -> Option<FailureKind> {
    let server = Server::plain([script]).await.unwrap();
    let report = check(json!({
        "url": server.url("http", "/"),
        "http_version": version,
        "timeout": SOON,
    }))
    .await;
    assert!(most_memory().is_none_or(|most| most < MOST_MEMORY));
    kind(&report)
}

/// The most memory that this process has ever had, in KiB, where the system tells.
fn most_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

async fn attacked_in_http1(response: impl Into<Vec<u8>>) -> Option<FailureKind> {
    attacked(Script::answer(response), "1.1").await
}

fn chunked() -> Vec<u8> {
    http1::head(200, &[("transfer-encoding", "chunked")])
}

#[tokio::test]
async fn a_response_head_has_an_end() {
    let start = Script::answer("HTTP/1.1 200 OK\r\n");
    for (piece, expected) in [
        ("x: y\r\n".repeat(1000), HeaderTooLarge),
        ("z".repeat(16 * 1024), HeaderTooLarge),
    ] {
        let found = attacked(start.clone().send_forever(piece), "1.1").await;
        assert_eq!(found, Some(expected));
    }
}

#[tokio::test]
async fn informational_responses_are_not_awaited_forever() {
    let early = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
    let script = Script::new().read_request().send_forever(early);
    assert_eq!(attacked(script, "1.1").await, Some(FirstByteTimeout));
}

#[tokio::test]
async fn one_byte_now_and_then_is_too_slow() {
    let rarely = Duration::from_millis(20);
    let head = Script::answer("HTTP/1.1 200 OK\r\nx: ").send_slowly("y", rarely);
    assert_eq!(attacked(head, "1.1").await, Some(FirstByteTimeout));
    let body = Script::answer(chunked()).send_slowly("1\r\nx\r\n", rarely);
    assert_eq!(attacked(body, "1.1").await, Some(BodyTimeout));
}

#[tokio::test]
async fn an_endless_body_is_read_up_to_its_limit() {
    let chunk = "4000\r\n".to_owned() + &"x".repeat(0x4000) + "\r\n";
    let script = Script::answer(chunked()).send_forever(chunk);
    assert_eq!(attacked(script, "1.1").await, None);
    let script = Script::answer(http1::head(200, &[])).send_forever("x".repeat(0x4000));
    assert_eq!(attacked(script, "1.1").await, None);
}

#[tokio::test]
async fn what_surrounds_the_chunks_has_an_end() {
    let extension = Script::answer(chunked()).send("1;a=");
    let found = attacked(extension.send_forever("b".repeat(0x4000)), "1.1").await;
    assert_eq!(found, Some(ProtocolError));
    let trailers = Script::answer(chunked()).send("0\r\n");
    let found = attacked(trailers.send_forever("x: y\r\n".repeat(1000)), "1.1").await;
    assert_eq!(found, Some(ProtocolError));
}

#[tokio::test]
async fn a_reset_is_a_reset_in_every_phase() {
    let settled = Duration::from_millis(100);
    let head = http1::head(200, &[("content-length", "9")]);
    let authority = Authority::root().unwrap();
    let identity = authority.issue(&Leaf::default()).unwrap();
    let encrypted = identity.server(&[]).unwrap();
    let asked = Script::new().read_request();
    let answering = asked.clone().send(head).pause(settled);
    for (script, scheme, tls, phase) in [
        (Script::new().read_any(), "https", None, Phase::Tls),
        (asked.clone(), "http", None, Phase::FirstByte),
        (asked, "https", Some(&encrypted), Phase::FirstByte),
        (answering.clone(), "http", None, Phase::Body),
        (answering, "https", Some(&encrypted), Phase::Body),
    ] {
        let server = match tls {
            None => Server::plain([script.reset()]).await,
            Some(config) => Server::tls(config.clone(), [script.reset()]).await,
        };
        let server = server.unwrap();
        let report = check(json!({"url": server.url(scheme, "/"), "tls_ca": authority.pem()}));
        let failure = report.await.failure.unwrap();
        assert_eq!(
            failure.kind, ConnectionReset,
            "{scheme} {phase}: {failure:?}"
        );
        assert_eq!(failure.phase, Some(phase));
    }
}

#[tokio::test]
async fn an_encrypted_body_that_ends_without_a_goodbye_is_incomplete() {
    let authority = Authority::root().unwrap();
    let identity = authority.issue(&Leaf::default()).unwrap();
    let head = http1::head(200, &[("content-length", "9")]);
    let script = Script::answer(head).send("half").abandon();
    let server = Server::tls(identity.server(&[]).unwrap(), [script])
        .await
        .unwrap();
    let site = json!({"url": server.url("https", "/"), "tls_ca": authority.pem()});
    let failure = check(site).await.failure.unwrap();
    assert_eq!(failure.kind, BodyIncomplete);
    assert_eq!(failure.detail, "the connection ended within the body");
}

#[tokio::test]
async fn an_encrypted_connection_that_ends_without_a_goodbye_has_no_response() {
    let authority = Authority::root().unwrap();
    let identity = authority.issue(&Leaf::default()).unwrap();
    let script = Script::new().read_request().abandon();
    let server = Server::tls(identity.server(&[]).unwrap(), [script]).await;
    let url = server.as_ref().unwrap().url("https", "/");
    let failure = check(json!({"url": url, "tls_ca": authority.pem()}))
        .await
        .failure;
    let failure = failure.unwrap();
    assert_eq!(failure.kind, NoResponse);
    assert!(!failure.detail.contains("docs.rs"), "{}", failure.detail);
}

#[tokio::test]
async fn nonsense_breaks_the_protocol() {
    for response in [
        "\0\x01\x02\x03\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 99 Low\r\n\r\n",
        "HTTP/1.1 2000 High\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\nx",
        "<html>no head at all</html>\r\n\r\n",
    ] {
        let found = attacked_in_http1(response).await;
        assert_eq!(found, Some(ProtocolError), "{response:?}");
    }
}

#[tokio::test]
async fn a_chunk_that_has_no_size_breaks_the_protocol() {
    for size in ["-1", "x", "ffffffffffffffffff", ""] {
        let response = [&chunked(), format!("{size}\r\nx\r\n").as_bytes()].concat();
        let found = attacked_in_http1(response).await;
        assert_eq!(found, Some(ProtocolError), "{size:?}");
    }
}

#[tokio::test]
async fn noise_is_no_handshake() {
    let noise = (0..2000u32).map(|number| (number * 7919 % 251) as u8);
    let noise: Vec<_> = noise.collect();
    let server = Server::plain([Script::new().read_any().send(noise).wait()])
        .await
        .unwrap();
    let report = check(json!({"url": server.url("https", "/"), "timeout": SOON})).await;
    assert_eq!(kind(&report), Some(TlsHandshake));
}

#[tokio::test]
async fn a_certificate_that_cannot_be_read_is_invalid() {
    for bytes in [vec![], vec![0; 3], vec![0x30; 4000]] {
        let server = Server::tls(unreadable(bytes).unwrap(), []).await.unwrap();
        let report = check(json!({"url": server.url("https", "/")})).await;
        assert_eq!(kind(&report), Some(FailureKind::CertInvalid));
    }
}

/// Speaks HTTP/2, says `first`, and then `again` forever.
fn flood(first: &[u8], again: &[u8]) -> Script {
    let begun = Script::new().read_any().send(http2::settings()).send(first);
    begun.send_forever(again.repeat(100))
}

#[tokio::test]
async fn floods_of_frames_before_the_head_end_in_time() {
    let idle = http2::frame(Kind::RstStream, 0, 3, &[0; 4]);
    for (name, frame, expected) in [
        (
            "settings",
            http2::settings(),
            &[FirstByteTimeout, ProtocolError][..],
        ),
        (
            "pings",
            http2::frame(Kind::Ping, 0, 0, &[0; 8]),
            &[FirstByteTimeout],
        ),
        (
            "acks",
            http2::frame(Kind::Ping, http2::ACK, 0, &[0; 8]),
            &[FirstByteTimeout],
        ),
        (
            "unknown frames",
            [0, 0, 1, 0x77, 0, 0, 0, 0, 0, 0].to_vec(),
            &[FirstByteTimeout],
        ),
        ("resets of idle streams", idle, &[ProtocolError]),
        ("noise", vec![0xff; 100], &[ProtocolError]),
    ] {
        let found = attacked(flood(&[], &frame), "2").await;
        assert!(
            found.is_some_and(|found| expected.contains(&found)),
            "{name}: {found:?}"
        );
    }
}

#[tokio::test]
async fn a_head_of_http2_has_an_end() {
    let start = http2::frame(Kind::Headers, 0, http2::FIRST, http2::STATUS_200);
    let long = http2::field("x", &"y".repeat(100)).repeat(100);
    let long = http2::frame(Kind::Continuation, 0, http2::FIRST, &long);
    let empty = http2::frame(Kind::Continuation, 0, http2::FIRST, &[]);
    for (name, frame) in [("long", long), ("empty", empty)] {
        let found = attacked(flood(&start, &frame), "2").await;
        assert!(
            matches!(found, Some(ProtocolError | HeaderTooLarge)),
            "{name} continuations: {found:?}"
        );
    }
}

/// A few bytes that stand for very many: each repeats a header field that the table already has.
#[tokio::test]
async fn a_head_of_http2_that_unfolds_has_an_end() {
    let mut fields = http2::STATUS_200.to_vec();
    fields.push(0x40);
    fields.extend(&http2::field("x", &"y".repeat(120))[1..]);
    fields.extend([0xbe; 16_000]);
    let head = http2::frame(Kind::Headers, http2::END_HEADERS, http2::FIRST, &fields);
    let script = Script::new().read_any().send(http2::settings());
    let found = attacked(script.send(head).wait(), "2").await;
    assert!(
        matches!(found, Some(ProtocolError | HeaderTooLarge)),
        "{found:?}"
    );
}

#[tokio::test]
async fn floods_of_frames_in_a_body_end_in_time() {
    let empty = http2::frame(Kind::Data, 0, http2::FIRST, &[]);
    for (name, frame, expected) in [
        ("empty data", empty, &[BodyTimeout, BodyIncomplete][..]),
        (
            "pings",
            http2::frame(Kind::Ping, 0, 0, &[0; 8]),
            &[BodyTimeout],
        ),
        (
            "settings",
            http2::settings(),
            &[BodyTimeout, BodyIncomplete],
        ),
    ] {
        let found = attacked(flood(&http2::head(), &frame), "2").await;
        assert!(
            found.is_some_and(|found| expected.contains(&found)),
            "{name}: {found:?}"
        );
    }
}

#[tokio::test]
async fn a_stream_of_http2_that_is_reset_ends_with_a_verdict() {
    let reset = http2::frame(Kind::RstStream, 0, http2::FIRST, &[0, 0, 0, 2]);
    let away = http2::frame(Kind::GoAway, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 0]);
    let begun = Script::new().read_any().send(http2::settings());
    for (frame, expected) in [(&reset, ProtocolError), (&away, ProtocolError)] {
        let found = attacked(begun.clone().send(frame.clone()).wait(), "2").await;
        assert_eq!(found, Some(expected));
    }
    let in_body = begun.clone().send(http2::head()).send(reset).wait();
    assert_eq!(attacked(in_body, "2").await, Some(BodyIncomplete));
    assert_eq!(attacked(begun, "2").await, Some(NoResponse));
}

//! Bodies: how they are framed, encoded and written, and how much of them is read.

use async_compression::tokio::write::{BrotliEncoder, GzipEncoder, ZlibEncoder};
use monitor_core::event::ContentMatch;
use monitor_core::{FailureKind, Outcome};
use monitor_probe::Report;
use serde_json::{Value, json};
use test_servers::{Script, Server, http1};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::site::{check, kind};

const TEXT: &str = "Welcome, and welcome again";

/// What a site with these rules says of a server that answers with these bytes.
async fn judged(response: Vec<u8>, rules: Value) -> Report {
    let server = Server::plain([Script::answer(response)]).await.unwrap();
    let mut rules = rules;
    rules["url"] = json!(server.url("http", "/"));
    check(rules).await
}

async fn compressed<W>(bytes: &[u8], encoder: fn(Vec<u8>) -> W, inner: fn(W) -> Vec<u8>) -> Vec<u8>
where
    W: AsyncWrite + Unpin,
{
    let mut encoder = encoder(Vec::new());
    encoder.write_all(bytes).await.unwrap();
    encoder.shutdown().await.unwrap();
    inner(encoder)
}

async fn gzip(bytes: &[u8]) -> Vec<u8> {
    compressed(bytes, GzipEncoder::new, GzipEncoder::into_inner).await
}

fn encoded(encoding: &str, body: &[u8]) -> Vec<u8> {
    http1::response(200, &[("content-encoding", encoding)], body)
}

#[tokio::test]
async fn a_body_is_decoded_as_its_head_says() {
    let text = TEXT.as_bytes();
    let zlib = compressed(text, ZlibEncoder::new, ZlibEncoder::into_inner).await;
    let brotli = compressed(text, BrotliEncoder::new, BrotliEncoder::into_inner).await;
    for (encoding, body) in [
        ("gzip", gzip(text).await),
        ("x-gzip", gzip(text).await),
        (" GZIP ", gzip(text).await),
        ("deflate", zlib),
        ("br", brotli),
        ("identity", text.to_vec()),
    ] {
        let rules = json!({"content_regex": format!("^{TEXT}$")});
        let report = judged(encoded(encoding, &body), rules).await;
        assert_eq!(report.failure, None, "{encoding}");
        assert_eq!(report.content, ContentMatch::Matched, "{encoding}");
        assert_eq!(report.http.unwrap().body_bytes, TEXT.len() as u64);
    }
}

#[tokio::test]
async fn a_body_that_breaks_its_encoding_is_not_decoded() {
    let whole = gzip(TEXT.as_bytes()).await;
    let mut wrong_sum = whole.clone();
    let sum = wrong_sum.len() - 8;
    wrong_sum[sum] ^= 1;
    for (encoding, body) in [
        ("gzip", &whole[..whole.len() - 9]),
        ("gzip", &wrong_sum[..]),
        ("br", b"\xff\xff\xff\xff"),
        ("deflate", b"not zlib"),
        ("zstd", b"never asked for"),
        ("gzip, br", b"twice"),
    ] {
        let report = judged(encoded(encoding, body), json!({})).await;
        assert_eq!(kind(&report), Some(FailureKind::BodyDecode), "{encoding}");
        assert_eq!(report.status_code, Some(200));
    }
}

#[tokio::test]
async fn what_has_no_body_has_none_to_decode() {
    let gzip = [("content-encoding", "gzip")];
    let empty = http1::response(200, &gzip, "");
    let head = http1::head(
        200,
        &[("content-encoding", "gzip"), ("content-length", "500")],
    );
    for (method, response) in [
        ("HEAD", head),
        ("GET", empty),
        ("GET", http1::head(204, &gzip)),
        ("GET", http1::head(304, &gzip)),
    ] {
        let rules = json!({"method": method, "expect_status": "200-399"});
        let report = judged(response, rules).await;
        assert_eq!(report.failure, None, "{method}");
        assert_eq!(report.http.unwrap().body_bytes, 0);
    }
}

#[tokio::test]
async fn chunks_are_put_together() {
    let head = http1::head(200, &[("transfer-encoding", "chunked")]);
    let chunks = "4\r\nWelc\r\n3;note=1\r\nome\r\n0\r\nx-after: 1\r\n\r\n";
    let response = [&head, chunks.as_bytes()].concat();
    let report = judged(response, json!({"content_regex": "^Welcome$"})).await;
    assert_eq!(report.failure, None);
}

#[tokio::test]
async fn a_body_without_its_last_chunk_is_incomplete() {
    let head = http1::head(200, &[("transfer-encoding", "chunked")]);
    let response = [&head, &b"4\r\nWelc\r\n"[..]].concat();
    let report = judged(response, json!({})).await;
    assert_eq!(kind(&report), Some(FailureKind::BodyIncomplete));
}

#[tokio::test]
async fn a_body_is_read_up_to_its_limit_and_judged_as_far() {
    let long = http1::ok("Welcome".to_owned() + &"x".repeat(10_000));
    let rules = json!({"content_regex": "Welcome", "body_limit": 100});
    let report = judged(long, rules).await;
    assert_eq!(report.outcome, Outcome::Up);
    assert_eq!(report.http.unwrap().body_bytes, 100);
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_whole() {
    let rules = json!({"content_regex_absent": "error", "body_limit": TEXT.len()});
    let report = judged(http1::ok(TEXT), rules).await;
    assert_eq!(report.outcome, Outcome::Up);
}

#[tokio::test]
async fn a_large_body_is_searched_to_its_end() {
    let large = "x".repeat(200_000) + "Welcome";
    let report = judged(http1::ok(large), json!({"content_regex": "Welcome$"})).await;
    assert_eq!(report.content, ContentMatch::Matched);
}

/// A bomb: one piece makes 256 KiB of zeros out of a few hundred bytes, again and again.
#[tokio::test]
async fn decoding_stops_at_the_limit() {
    let zeros = vec![0; 256 * 1024];
    let mut encoder = GzipEncoder::new(Vec::new());
    encoder.write_all(&zeros).await.unwrap();
    encoder.flush().await.unwrap();
    let start = encoder.get_ref().len();
    encoder.write_all(&zeros).await.unwrap();
    encoder.flush().await.unwrap();
    let (first, again) = encoder.get_ref().split_at(start);
    let head = http1::head(200, &[("content-encoding", "gzip")]);
    let script = Script::answer([&head, first].concat()).send_forever(again);
    let server = Server::plain([script]).await.unwrap();
    let site = json!({"url": server.url("http", "/"), "body_limit": "16MiB"});
    let report = check(site).await;
    assert_eq!(report.outcome, Outcome::Up);
    assert_eq!(report.http.unwrap().body_bytes, 16 * 1024 * 1024);
}

#[tokio::test]
async fn text_is_read_in_its_charset() {
    let utf16: Vec<_> = "\u{feff}Grüße"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (content_type, body) in [
        ("text/plain; charset=utf-8", "Grüße".as_bytes()),
        ("text/plain; charset=ISO-8859-1", b"Gr\xfc\xdfe"),
        ("text/plain;Charset=\"windows-1252\"", b"Gr\xfc\xdfe"),
        ("text/plain", &utf16),
        ("text/plain; charset=latin1", "\u{feff}Grüße".as_bytes()),
    ] {
        let response = http1::response(200, &[("content-type", content_type)], body);
        let report = judged(response, json!({"content_regex": "^Grüße$"})).await;
        assert_eq!(report.content, ContentMatch::Matched, "{content_type}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_searched_as_they_are() {
    let body = b"\xff\xfe\xfd Welcome \x80";
    let response = http1::response(200, &[("content-type", "image/x; charset=?")], &body[2..]);
    let report = judged(response, json!({"content_regex": "Welcome (?-u:\\x80)$"})).await;
    assert_eq!(report.content, ContentMatch::Matched);
}

#[tokio::test]
async fn json_is_looked_into() {
    let body = r#"{"status": "up", "nodes": [{"id": 1}, {"id": 2}]}"#;
    let rules = json!({"expect_json": ["$.nodes[?@.id == 2]", "$[?@ == 'up']"]});
    let report = judged(http1::ok(body), rules).await;
    assert_eq!(report.outcome, Outcome::Up);
}

#[tokio::test]
async fn a_reset_in_the_middle_of_a_body_keeps_what_was_seen() {
    let head = http1::head(200, &[("content-length", "10")]);
    let server = Server::plain([Script::answer(head).send("half ").pause(SHORT).reset()]);
    let server = server.await.unwrap();
    let report = check(json!({"url": server.url("http", "/")})).await;
    assert_eq!(kind(&report), Some(FailureKind::ConnectionReset));
    assert_eq!(report.status_code, Some(200));
    assert!(report.timings_us.first_byte.is_some());
}

/// So that the head is read before the reset takes it away.
const SHORT: std::time::Duration = std::time::Duration::from_millis(100);

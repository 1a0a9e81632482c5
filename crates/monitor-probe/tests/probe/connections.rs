//! Nothing outlives a check.

use serde_json::{Value, json};
use test_servers::{Script, Server, http1, http2};

use crate::site::check;

/// Drops a check while its connection is open.
async fn dropped(script: Script, scheme: &str, fields: Value) {
    let server = Server::plain([script]).await.unwrap();
    let mut fields = fields;
    fields["url"] = json!(server.url(scheme, "/"));
    let checking = check(fields);
    tokio::select! {
        report = checking => unreachable!("it ended: {report:?}"),
        () = server.until_sent() => {}
    }
    server.until_open(0).await;
}

#[tokio::test]
async fn a_check_that_is_dropped_closes_its_connection() {
    let (plain, two) = (json!({}), json!({"http_version": "2"}));
    let hello = Script::new().read_any().send("\x16").wait();
    let head = Script::answer("HTTP/1.1 200 OK\r\n").wait();
    let body = Script::answer(http1::head(200, &[])).send("x").wait();
    let begun = Script::new().read_any().send(http2::settings());
    for (script, scheme, fields) in [
        (hello, "https", &plain),
        (head, "http", &plain),
        (body, "http", &plain),
        (begun.clone().wait(), "http", &two),
        (begun.send(http2::head()).wait(), "http", &two),
    ] {
        dropped(script, scheme, fields.clone()).await;
    }
}

#[tokio::test]
async fn a_check_that_ends_closes_its_connection() {
    let half = http1::head(200, &[("content-length", "9000")]);
    for (script, version) in [
        (Script::answer(http1::ok("fine")).wait(), "1.1"),
        (Script::answer(half).send("x".repeat(5000)).wait(), "1.1"),
        (
            Script::answer(http1::redirect(302, "ftp://h/")).wait(),
            "1.1",
        ),
        (
            Script::new().read_any().send(http2::ok(b"fine")).wait(),
            "2",
        ),
    ] {
        let server = Server::plain([script]).await.unwrap();
        let url = server.url("http", "/");
        check(json!({"url": url, "http_version": version, "body_limit": 100})).await;
        server.until_open(0).await;
    }
}

//! What a site's owner entrusts to the monitor shows up nowhere.

use chrono::Utc;
use monitor_core::Slot;
use monitor_core::site::SiteId;
use serde_json::{Value, json};
use test_servers::{Authority, ClosedPort, DnsServer, Leaf, Script, Server, Zone, http1};

use crate::site::{SOON, check, check_by_name, site};

/// What no text may hold.
const CANARY: &str = "c4n4ry";

/// A site with a canary wherever a secret can be.
fn secretive(url: &str, fields: &Value) -> Value {
    let mut site = json!({
        "url": format!("{url}?token={CANARY}"),
        "method": "POST",
        "body": format!("password={CANARY}"),
        "headers": {"Authorization": format!("Bearer {CANARY}"), "X-Key": CANARY},
        "timeout": SOON,
    });
    for (field, value) in fields.as_object().unwrap() {
        site[field] = value.clone();
    }
    site
}

/// All that is said of a check of this site.
fn assert_is_silent(fields: &Value, report: monitor_probe::Report) {
    let slot = Slot {
        site_id: SiteId(7),
        region: "eu-north".parse().unwrap(),
        scheduled_at: Utc::now(),
    };
    let mut texts = vec![
        format!("{:?}", site(fields.clone())),
        format!("{report:?}"),
        format!("{:?}", report.failure),
    ];
    let event = report.into_event(&slot, "checker-1", Utc::now());
    texts.push(format!("{event:?}"));
    texts.push(String::from_utf8(event.encode().unwrap()).unwrap());
    for text in texts {
        assert!(!text.contains(CANARY), "{text}");
    }
}

#[tokio::test]
async fn a_check_does_not_tell_what_it_sent() {
    let error = http1::response(503, &[], format!("echo {CANARY}"));
    let echoed = http1::response(200, &[("x-key", CANARY)], CANARY);
    let nonsense = format!("{CANARY} {CANARY}\r\n\r\n");
    let gzip = http1::response(200, &[("content-encoding", "gzip")], CANARY);
    let circle = http1::redirect(307, &format!("/again?token={CANARY}"));
    let elsewhere = http1::redirect(302, &format!("ftp://u:{CANARY}@h/?{CANARY}"));
    let nowhere = http1::redirect(302, &format!("http://u:{CANARY}@[/?{CANARY}"));
    for (script, rules) in [
        (Script::answer(http1::ok("fine")), json!({})),
        (Script::answer(error), json!({})),
        (
            Script::answer(echoed.clone()),
            json!({"content_regex": "other"}),
        ),
        (
            Script::answer(echoed.clone()),
            json!({"content_regex_absent": "c.n"}),
        ),
        (
            Script::answer(echoed.clone()),
            json!({"expect_headers": {"x-key": "other"}}),
        ),
        (Script::answer(echoed), json!({"expect_json": ["$.a"]})),
        (Script::answer(nonsense), json!({})),
        (Script::answer(gzip), json!({})),
        (Script::answer(circle), json!({"redirects": 2})),
        (Script::answer(elsewhere), json!({})),
        (Script::answer(nowhere), json!({})),
        (Script::new().read_request().wait(), json!({})),
        (Script::new().read_request().reset(), json!({})),
        (Script::new().read_request(), json!({"retries": 2})),
        (
            Script::new().read_any().send("noise").wait(),
            json!({"http_version": "2"}),
        ),
    ] {
        let server = Server::plain([script]).await.unwrap();
        let fields = secretive(&server.url("http", "/"), &rules);
        let report = check(fields.clone()).await;
        assert_is_silent(&fields, report);
    }
}

#[tokio::test]
async fn a_check_that_does_not_come_to_a_request_does_not_tell_it() {
    let nobody = ClosedPort::new().unwrap();
    let dns = DnsServer::start(Zone::new()).await.unwrap();
    let closed = secretive(&format!("http://{}/", nobody.address()), &json!({}));
    assert_is_silent(&closed, check(closed.clone()).await);
    let nowhere = secretive("http://site.test/", &json!({}));
    assert_is_silent(&nowhere, check_by_name(&dns, nowhere.clone()).await);
}

#[tokio::test]
async fn a_client_key_is_not_told_even_when_it_is_of_no_use() {
    let authority = Authority::root().unwrap();
    let identity = authority.issue(&Leaf::default()).unwrap();
    let server = Server::tls(identity.server(&[]).unwrap(), [])
        .await
        .unwrap();
    let begin = "-----BEGIN PRIVATE KEY-----";
    let end = "-----END PRIVATE KEY-----";
    for key in [
        format!("{begin}\n{CANARY}\n{end}\n"),
        format!("{begin}\n{CANARY}==\n{CANARY}\n"),
        format!("{begin}\n!{CANARY}!\n{end}\n"),
    ] {
        let rules = json!({
            "tls_ca": authority.pem(), "tls_client_cert": identity.chain.clone() + &key,
        });
        let fields = secretive(&server.url("https", "/"), &rules);
        let report = check(fields.clone()).await;
        assert!(report.failure.is_some());
        assert_is_silent(&fields, report);
    }
}

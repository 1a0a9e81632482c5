//! Whatever a server says, a check of it ends with a verdict that a reader of its event takes.

use monitor_core::Outcome;
use monitor_probe::Report;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;
use test_servers::http2::{self, Kind};
use test_servers::{Script, Server, http1};
use tokio::runtime::Builder;

use crate::site::{assert_has_an_event, check};

/// `fine`, as gzip has it.
const GZIPPED: &[u8] =
    b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\x4b\xcb\xcc\x4b\x05\0\x92\x54\xa9\xbe\x04\0\0\0";

/// A change of bytes on their way.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Cut(Index),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let at = |index: &Index, bytes: &[u8]| index.index(bytes.len() + 1);
        match self {
            Self::Set(index, byte) => {
                let place = at(index, bytes);
                bytes
                    .get_mut(place)
                    .into_iter()
                    .for_each(|old| *old = *byte);
            }
            Self::Insert(index, new) => {
                let place = at(index, bytes);
                bytes.splice(place..place, new.iter().copied());
            }
            Self::Cut(index) => bytes.truncate(at(index, bytes)),
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let some = prop::collection::vec(any::<u8>(), 1..20);
    prop_oneof![
        6 => (any::<Index>(), any::<u8>()).prop_map(|(place, byte)| Change::Set(place, byte)),
        2 => (any::<Index>(), some).prop_map(|(place, new)| Change::Insert(place, new)),
        1 => any::<Index>().prop_map(Change::Cut),
    ]
}

/// Good answers, with the version of HTTP that they are in.
fn answers() -> Vec<(&'static str, Vec<u8>)> {
    let typed = [("content-type", "text/html; charset=windows-1252")];
    let gzip = [("content-encoding", "gzip"), ("x-a", "b")];
    let chunked = http1::head(200, &[("transfer-encoding", "chunked")]);
    let fields = [http2::STATUS_200, &http2::field("x-a", "b")].concat();
    let head = http2::frame(Kind::Headers, http2::END_HEADERS, http2::FIRST, &fields);
    let body = http2::frame(Kind::Data, http2::END_STREAM, http2::FIRST, b"fine");
    vec![
        ("1.1", http1::response(200, &typed, b"fine \x93 text")),
        ("1.1", http1::response(200, &gzip, GZIPPED)),
        (
            "1.1",
            [&chunked[..], b"4;x=y\r\nfine\r\n0\r\nx: y\r\n\r\n"].concat(),
        ),
        (
            "1.1",
            [&http1::head(100, &[])[..], &http1::ok("{\"a\": 1}")].concat(),
        ),
        ("1.1", http1::head(204, &[("x-a", "b")])),
        ("1.1", http1::redirect(302, "/elsewhere")),
        ("2", http2::ok(b"fine")),
        ("2", [http2::settings(), head, body].concat()),
    ]
}

/// Checks a server that gives this answer, for a site with rules of every kind.
async fn answered(version: &str, answer: Vec<u8>) -> Report {
    let script = Script::new().read_any().send(answer);
    let server = Server::plain([script]).await.unwrap();
    check(json!({
        "url": server.url("http", "/"),
        "http_version": version,
        "redirects": 0,
        "expect_headers": {"x-a": "."},
        "content_regex": ".",
        "content_regex_absent": "broken",
        "expect_json": ["$.a"],
    }))
    .await
}

proptest! {
    #[test]
    fn whatever_a_server_answers_the_site_gets_a_verdict(
        answer in prop::sample::select(answers()),
        changes in prop::collection::vec(change(), 0..4),
    ) {
        let (version, mut bytes) = answer;
        for change in changes {
            change.apply(&mut bytes);
        }
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let report = runtime.block_on(answered(version, bytes));
        // Never a trouble of ours.
        prop_assert!(matches!(report.outcome, Outcome::Up | Outcome::Down), "{:?}", report);
        assert_has_an_event(report);
    }
}

/// Checks a server that redirects here, within itself.
async fn redirected(path: &str) -> Report {
    let there = Script::answer(http1::redirect(302, path));
    let server = Server::plain([there, Script::answer(http1::ok("fine"))]);
    let server = server.await.unwrap();
    check(json!({"url": server.url("http", "/")})).await
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn wherever_a_redirect_leads_it_is_told_in_bounds(
        path in r"/x[!-~\u{80}-\u{2fff}]{0,30}",
        times in prop::sample::select(vec![1, 100, 500]),
    ) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let report = runtime.block_on(redirected(&path.repeat(times)));
        prop_assert_eq!(report.outcome, Outcome::Up, "{:?}", report);
        assert_has_an_event(report);
    }
}

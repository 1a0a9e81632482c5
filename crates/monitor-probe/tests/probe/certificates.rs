//! What a check says about certificates, good and bad, and the ones that it shows itself.

use chrono::Utc;
use monitor_core::event::{TlsFacts, Warning};
use monitor_core::{FailureKind, Outcome, Phase};
use monitor_probe::Report;
use proptest::prelude::*;
use serde_json::{Value, json};
use test_servers::{Authority, Leaf, Script, Server, Validity, http1, unreadable};
use tokio::runtime::Builder;

use crate::site::{assert_has_an_event, check, kind};

fn answer() -> Script {
    Script::answer(http1::ok("fine"))
}

/// Checks a server that shows this leaf, of an authority that the site trusts.
async fn shown(authority: &Authority, leaf: &Leaf, fields: Value) -> Report {
    let config = authority.issue(leaf).unwrap().server(&[]).unwrap();
    let server = Server::tls(config, [answer()]).await.unwrap();
    let mut fields = fields;
    fields["url"] = json!(server.url("https", "/"));
    check(fields).await
}

fn expired() -> Leaf {
    Leaf {
        validity: Validity::Past,
        ..Leaf::default()
    }
}

fn assert_is_described(tls: &TlsFacts) {
    assert_eq!(tls.subject.as_deref(), Some("CN=test leaf"));
    assert_eq!(tls.issuer.as_deref(), Some("CN=test root"));
    assert!(tls.not_before < tls.not_after);
    let sha256 = tls.sha256.as_ref().unwrap();
    assert_eq!(sha256.len(), 64);
    assert!(sha256.bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[tokio::test]
async fn a_good_certificate_and_its_session_are_described() {
    let authority = Authority::root().unwrap();
    let site = json!({"tls_ca": authority.pem()});
    let report = shown(&authority, &Leaf::default(), site).await;
    assert_eq!(report.outcome, Outcome::Up);
    assert!(report.timings_us.tls.is_some());
    let tls = report.tls.unwrap();
    assert_is_described(&tls);
    assert_eq!(tls.version.as_deref(), Some("1.3"));
    assert!(tls.cipher.unwrap().starts_with("TLS13_"));
    assert_eq!(tls.verify_error, None);
    assert!(tls.chain.is_empty());
}

#[tokio::test]
async fn a_refused_certificate_is_described_too() {
    let authority = Authority::root().unwrap();
    let site = json!({"tls_ca": authority.pem()});
    let report = shown(&authority, &expired(), site).await;
    assert_eq!(kind(&report), Some(FailureKind::CertExpired));
    let tls = report.tls.unwrap();
    assert_is_described(&tls);
    assert_eq!(tls.version, None);
    let detail = report.failure.unwrap().detail;
    assert!(
        detail.contains("CN=test leaf") && detail.contains("2021"),
        "{detail}"
    );
}

#[tokio::test]
async fn a_certificate_that_signs_itself_is_not_trusted() {
    let config = Leaf::default().self_signed().unwrap().server(&[]).unwrap();
    let server = Server::tls(config, [answer()]).await.unwrap();
    let report = check(json!({"url": server.url("https", "/")})).await;
    assert_eq!(kind(&report), Some(FailureKind::CertUntrusted));
}

#[tokio::test]
async fn a_chain_leads_to_a_trusted_root_and_is_kept() {
    let root = Authority::root().unwrap();
    let site = json!({"tls_ca": root.pem()});
    let report = shown(&root.intermediate().unwrap(), &Leaf::default(), site).await;
    assert_eq!(report.outcome, Outcome::Up);
    let tls = report.tls.unwrap();
    assert_eq!(tls.issuer.as_deref(), Some("CN=test intermediate"));
    let [intermediate] = &tls.chain[..] else {
        panic!("{:?}", tls.chain)
    };
    assert_eq!(
        intermediate.subject.as_deref(),
        Some("CN=test intermediate")
    );
    assert_eq!(intermediate.issuer.as_deref(), Some("CN=test root"));
    assert_eq!(intermediate.sha256.as_ref().unwrap().len(), 64);
}

#[tokio::test]
async fn the_chain_of_a_refused_certificate_is_kept() {
    let root = Authority::root().unwrap();
    let site = json!({"tls_ca": root.pem()});
    let report = shown(&root.intermediate().unwrap(), &expired(), site).await;
    assert_eq!(kind(&report), Some(FailureKind::CertExpired));
    assert_eq!(report.tls.unwrap().chain.len(), 1);
}

#[tokio::test]
async fn a_site_that_does_not_ask_still_learns_what_is_wrong() {
    let authority = Authority::root().unwrap();
    for (leaf, expected) in [
        (expired(), FailureKind::CertExpired),
        (Leaf::of("other.test"), FailureKind::CertHostnameMismatch),
    ] {
        let site = json!({
            "tls_ca": authority.pem(), "tls_verify": false, "cert_expiry_warning": "0s",
        });
        let report = shown(&authority, &leaf, site).await;
        assert_eq!(report.failure, None);
        assert_eq!(report.status_code, Some(200));
        let error = report.tls.unwrap().verify_error.unwrap();
        assert_eq!(error.kind, expected);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_of_very_many_names_is_told_in_short() {
    let authority = Authority::root().unwrap();
    let leaf = Leaf {
        names: (0..500)
            .map(|number| format!("name-{number}.test"))
            .collect(),
        ..Leaf::default()
    };
    for tls_verify in [true, false] {
        let site = json!({"tls_ca": authority.pem(), "tls_verify": tls_verify});
        assert_has_an_event(shown(&authority, &leaf, site).await);
    }
}

#[tokio::test]
async fn a_certificate_that_ends_soon_calls_for_attention() {
    let authority = Authority::root().unwrap();
    let site = json!({"tls_ca": authority.pem(), "cert_expiry_warning": "100years"});
    let report = shown(&authority, &Leaf::default(), site).await;
    assert_eq!(report.outcome, Outcome::Degraded);
    assert_eq!(report.warnings, [Warning::CertExpiresSoon]);
    assert!(report.tls.unwrap().not_after > Some(Utc::now()));
}

/// Checks a server that lets in only those whom `clients` vouches for.
async fn for_clients(clients: &Authority, identity: Option<String>) -> Report {
    let authority = Authority::root().unwrap();
    let server = authority.issue(&Leaf::default()).unwrap();
    let config = server.server_for_clients_of(clients).unwrap();
    let server = Server::tls(config, [answer()]).await.unwrap();
    check(json!({
        "url": server.url("https", "/"),
        "tls_ca": authority.pem(),
        "tls_client_cert": identity,
    }))
    .await
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_it_is_asked_for() {
    let clients = Authority::root_called("clients").unwrap();
    let identity = clients.issue(&Leaf::of_client()).unwrap();
    let report = for_clients(&clients, Some(identity.pem())).await;
    assert_eq!(report.failure, None);
}

/// In TLS 1.3 the server says so only after the handshake.
#[tokio::test]
async fn a_server_that_lets_nobody_in_without_a_certificate_refuses_the_handshake() {
    let clients = Authority::root_called("clients").unwrap();
    let stranger = Authority::root_called("a stranger").unwrap();
    let identity = stranger.issue(&Leaf::of_client()).unwrap();
    for identity in [None, Some(identity.pem())] {
        let report = for_clients(&clients, identity).await;
        assert_eq!(kind(&report), Some(FailureKind::TlsHandshake), "{report:?}");
    }
}

#[tokio::test]
async fn a_client_key_of_another_certificate_is_a_mistake_of_the_site_file() {
    let clients = Authority::root_called("clients").unwrap();
    let [one, other] = [0, 1].map(|_| clients.issue(&Leaf::of_client()).unwrap());
    let report = for_clients(&clients, Some(one.chain + &other.key)).await;
    assert_eq!(kind(&report), Some(FailureKind::Configuration));
    let failure = report.failure.unwrap();
    assert_eq!(failure.phase, Some(Phase::Tls));
    assert!(failure.detail.contains("tls_client_cert"), "{failure:?}");
}

/// A certificate with some bytes changed.
async fn damaged(changes: Vec<(usize, u8)>) -> Report {
    let mut bytes = Leaf::default().self_signed().unwrap().der().unwrap();
    for (position, byte) in changes {
        let position = position % bytes.len();
        bytes[position] = byte;
    }
    let server = Server::tls(unreadable(bytes).unwrap(), []).await.unwrap();
    check(json!({"url": server.url("https", "/")})).await
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn whatever_a_certificate_is_made_of_it_is_refused_and_recorded(
        changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6),
    ) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let report = runtime.block_on(damaged(changes));
        prop_assert_eq!(report.outcome, Outcome::Down);
        prop_assert!(report.tls.as_ref().is_some_and(|tls| tls.sha256.is_some()));
        assert_has_an_event(report);
    }
}

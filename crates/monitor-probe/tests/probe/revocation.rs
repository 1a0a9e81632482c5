//! Certificates that were revoked: by a list that the checker was given, or by what the server
//! sends along.

use std::fs;
use std::path::Path;

use chrono::Utc;
use monitor_core::{FailureKind, Outcome, Phase};
use monitor_probe::{Prober, ProberSettings, Report, RevocationLists};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_servers::{
    Authority, CertificateStatus, Identity, Leaf, OcspAnswer, Script, Server, Signer, http1,
};

use crate::site::{check, kind, settings, site};

/// A checker with lists, and what it reads them from.
struct Checker {
    folder: TempDir,
    lists: RevocationLists,
    prober: Prober,
}

impl Checker {
    fn with_lists(lists: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (number, list) in lists.iter().enumerate() {
            write(folder.path(), &format!("{number}.crl"), list);
        }
        let lists = RevocationLists::read(&[folder.path().to_owned()]).unwrap();
        let prober = Prober::new(&ProberSettings {
            revocation_lists: lists.clone(),
            ..settings()
        });
        Self {
            folder,
            lists,
            prober: prober.unwrap(),
        }
    }

    /// Checks a site that trusts `root`, whose server shows this identity.
    async fn check(&self, root: &Authority, leaf: &Identity, fields: Value) -> Report {
        let server = serve(leaf).await;
        let fields = fields_of(&server, root, fields);
        self.prober.check(&site(fields), Utc::now()).await
    }
}

fn write(folder: &Path, name: &str, list: &str) {
    fs::write(folder.join(name), list).unwrap();
}

async fn serve(leaf: &Identity) -> Server {
    let config = leaf.server(&[]).unwrap();
    let answer = Script::answer(http1::ok("fine"));
    Server::tls(config, [answer]).await.unwrap()
}

fn fields_of(server: &Server, root: &Authority, mut fields: Value) -> Value {
    fields["url"] = json!(server.url("https", "/"));
    fields["tls_ca"] = json!(root.pem());
    fields
}

fn detail(report: &Report) -> &str {
    &report.failure.as_ref().unwrap().detail
}

#[tokio::test]
async fn a_revoked_certificate_takes_a_site_down_and_is_described() {
    let root = Authority::root().unwrap();
    let [revoked, good] = [0, 1].map(|_| root.issue(&Leaf::default()).unwrap());
    let checker = Checker::with_lists(&[root.revocation_list(&[&revoked.chain]).unwrap()]);
    let report = checker.check(&root, &revoked, json!({})).await;
    assert_eq!(report.outcome, Outcome::Down);
    assert_eq!(kind(&report), Some(FailureKind::CertRevoked));
    assert_eq!(report.failure.as_ref().unwrap().phase, Some(Phase::Tls));
    assert_eq!(
        detail(&report),
        "certificate CN=test leaf is in the revocation list of CN=test root"
    );
    assert!(report.timings_us.connect.is_some() && report.timings_us.tls.is_none());
    assert_eq!(report.tls.unwrap().subject.as_deref(), Some("CN=test leaf"));
    let report = checker.check(&root, &good, json!({})).await;
    assert_eq!(report.outcome, Outcome::Up);
}

#[tokio::test]
async fn a_revoked_authority_on_the_way_takes_a_site_down() {
    let root = Authority::root().unwrap();
    let intermediate = root.intermediate().unwrap();
    let leaf = intermediate.issue(&Leaf::default()).unwrap();
    let list = root.revocation_list(&[intermediate.pem()]).unwrap();
    let report = Checker::with_lists(&[list])
        .check(&root, &leaf, json!({}))
        .await;
    assert_eq!(kind(&report), Some(FailureKind::CertRevoked));
    assert!(detail(&report).contains("CN=test intermediate is in"));
    assert_eq!(report.tls.unwrap().chain.len(), 1);
}

#[tokio::test]
async fn lists_of_others_say_nothing() {
    let root = Authority::root().unwrap();
    let leaf = root.issue(&Leaf::default()).unwrap();
    let others = ["test root", "others"].map(|name| {
        let other = Authority::root_called(name).unwrap();
        other.revocation_list(&[&leaf.chain]).unwrap()
    });
    let report = Checker::with_lists(&others)
        .check(&root, &leaf, json!({}))
        .await;
    assert_eq!(report.outcome, Outcome::Up);
}

#[tokio::test]
async fn a_list_that_changes_is_followed_without_a_restart() {
    let root = Authority::root().unwrap();
    let leaf = root.issue(&Leaf::default()).unwrap();
    let [empty, revoking] =
        [vec![], vec![&leaf.chain[..]]].map(|revoked| root.revocation_list(&revoked).unwrap());
    let checker = Checker::with_lists(std::slice::from_ref(&empty));
    for (list, expected) in [
        (None, Outcome::Up),
        (Some(&revoking), Outcome::Down),
        (Some(&empty), Outcome::Up),
    ] {
        if let Some(list) = list {
            write(checker.folder.path(), "0.crl", list);
            assert!(checker.lists.reread().unwrap());
        }
        for _again in 0..2 {
            let report = checker.check(&root, &leaf, json!({})).await;
            assert_eq!(report.outcome, expected);
        }
    }
}

#[tokio::test]
async fn a_site_that_does_not_ask_still_learns_of_it() {
    let root = Authority::root().unwrap();
    let leaf = root.issue(&Leaf::default()).unwrap();
    let list = root.revocation_list(&[&leaf.chain]).unwrap();
    let site = json!({"tls_verify": false});
    let report = Checker::with_lists(&[list]).check(&root, &leaf, site).await;
    assert_eq!(report.outcome, Outcome::Up);
    let error = report.tls.unwrap().verify_error.unwrap();
    assert_eq!(error.kind, FailureKind::CertRevoked);
}

/// Checks a server that sends along what `signer` says about its certificate.
async fn stapled(answer: OcspAnswer, signed_by_its_authority: bool) -> Report {
    let [root, stranger] = [0, 1].map(|_| Authority::root().unwrap());
    let leaf = root.issue(&Leaf::default()).unwrap();
    let signer = if signed_by_its_authority {
        &root
    } else {
        &stranger
    };
    let response = answer.about(&leaf, &root, Signer::Authority(signer));
    let config = leaf.server_with_ocsp(response.unwrap()).unwrap();
    let script = Script::answer(http1::ok("fine"));
    let server = Server::tls(config, [script]).await.unwrap();
    check(fields_of(&server, &root, json!({}))).await
}

fn revoked() -> OcspAnswer {
    let now = Utc::now().timestamp();
    OcspAnswer {
        status: CertificateStatus::Revoked,
        from: now - 3600,
        until: Some(now + 3600),
    }
}

#[tokio::test]
async fn a_revocation_that_the_server_itself_sends_takes_the_site_down() {
    let report = stapled(revoked(), true).await;
    assert_eq!(report.outcome, Outcome::Down);
    assert_eq!(kind(&report), Some(FailureKind::CertRevoked));
    assert!(detail(&report).contains("OCSP"), "{}", detail(&report));
    assert!(report.tls.unwrap().sha256.is_some());
}

#[tokio::test]
async fn what_a_server_sends_along_is_ignored_when_it_proves_no_revocation() {
    let good = OcspAnswer {
        status: CertificateStatus::Good,
        ..revoked()
    };
    let stale = OcspAnswer {
        until: Some(revoked().from + 1),
        ..revoked()
    };
    for (answer, signed_by_its_authority) in [(good, true), (stale, true), (revoked(), false)] {
        let report = stapled(answer, signed_by_its_authority).await;
        assert_eq!(report.outcome, Outcome::Up, "{answer:?}: {report:?}");
    }
}

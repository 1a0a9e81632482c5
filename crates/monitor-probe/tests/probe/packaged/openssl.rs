//! The test server of OpenSSL.

use std::fs;
use std::path::Path;
use std::process::Command;

use local_stack::{Program, ReservedPort};
use monitor_core::{FailureKind, Outcome, Phase};
use monitor_probe::Report;
use serde_json::json;
use test_servers::{Authority, Identity, Leaf};

use super::{executable, start};
use crate::site::{check, kind};

/// Checks an `s_server` with these options.
async fn served(options: &[&str]) -> Report {
    let authority = Authority::root().unwrap();
    let identity = authority.issue(&Leaf::default()).unwrap();
    serve(&authority, &identity, options).await
}

/// Checks an `s_server` that shows this identity, for a site that trusts the authority.
async fn serve(authority: &Authority, identity: &Identity, options: &[&str]) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.pem");
    fs::write(&file, identity.pem()).unwrap();
    let port = ReservedPort::any().unwrap().release();
    let address = format!("127.0.0.1:{port}");
    let log = folder.path().join("openssl.log");
    let program = Program::new("openssl", executable("openssl"), log)
        .args(["s_server", "-www", "-accept", &address])
        .args(["-cert", file.to_str().unwrap()])
        .args(options)
        .keep_stdin_open();
    let _process = start(&program, &[port]);
    check(json!({"url": format!("https://{address}/"), "tls_ca": authority.pem()})).await
}

/// Lets `openssl` write the response of an authority into `folder`, about a certificate of which
/// the authority's index says `entry`.
fn answer(folder: &Path, authority: &Authority, leaf: &Identity, entry: &str) {
    let write = |name: &str, text: String| fs::write(folder.join(name), text).unwrap();
    write("leaf.pem", leaf.chain.clone());
    write("ca.pem", authority.pem().to_owned());
    write("ca.key", authority.key_pem());
    let serial = leaf.serial().unwrap();
    write(
        "index.txt",
        format!("{entry}\t{serial}\tunknown\t/CN=leaf\n"),
    );
    let output = Command::new(executable("openssl"))
        .current_dir(folder)
        .args([
            "ocsp",
            "-index",
            "index.txt",
            "-CA",
            "ca.pem",
            "-issuer",
            "ca.pem",
        ])
        .args(["-rsigner", "ca.pem", "-rkey", "ca.key", "-cert", "leaf.pem"])
        .args(["-ndays", "1", "-respout", "response.der", "-noverify"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Checks a server that sends along what OpenSSL says about its certificate.
async fn stapled(entry: &str, version: &str) -> Report {
    let authority = Authority::root().unwrap();
    let leaf = authority.issue(&Leaf::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    answer(folder.path(), &authority, &leaf, entry);
    let response = folder.path().join("response.der");
    let response = response.to_str().unwrap();
    serve(&authority, &leaf, &[version, "-status_file", response]).await
}

#[tokio::test]
async fn a_server_that_says_itself_that_its_certificate_is_revoked_is_down() {
    for version in ["-tls1_2", "-tls1_3"] {
        let report = stapled("R\t900101000000Z\t240101000000Z", version).await;
        assert_eq!(kind(&report), Some(FailureKind::CertRevoked), "{report:?}");
    }
}

#[tokio::test]
async fn a_server_that_says_that_its_certificate_is_good_is_up() {
    let report = stapled("V\t900101000000Z\t", "-tls1_3").await;
    assert_eq!(report.outcome, Outcome::Up);
}

#[tokio::test]
async fn tls_1_2_is_good_enough() {
    let report = served(&["-tls1_2"]).await;
    assert_eq!(report.outcome, Outcome::Up);
    let tls = report.tls.unwrap();
    assert_eq!(tls.version.as_deref(), Some("1.2"));
    assert!(tls.cipher.unwrap().starts_with("TLS_ECDHE_"));
}

#[tokio::test]
async fn tls_1_3_is_better() {
    let report = served(&["-tls1_3"]).await;
    assert_eq!(report.tls.unwrap().version.as_deref(), Some("1.3"));
}

#[tokio::test]
async fn tls_1_0_is_not_spoken() {
    let report = served(&["-tls1", "-cipher", "DEFAULT@SECLEVEL=0"]).await;
    assert_eq!(kind(&report), Some(FailureKind::TlsHandshake));
    assert_eq!(report.failure.unwrap().phase, Some(Phase::Tls));
}

#[tokio::test]
async fn a_cipher_that_nobody_should_use_is_not_agreed_on() {
    let report = served(&["-tls1_2", "-cipher", "AES128-SHA"]).await;
    assert_eq!(kind(&report), Some(FailureKind::TlsHandshake));
}

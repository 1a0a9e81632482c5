//! The test server of OpenSSL.

use std::fs;

use local_stack::{Program, ReservedPort};
use monitor_core::{FailureKind, Outcome, Phase};
use monitor_probe::Report;
use serde_json::json;
use test_servers::{Authority, Leaf};

use super::{executable, start};
use crate::site::{check, kind};

/// Checks an `s_server` with these options.
async fn served(options: &[&str]) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::root().unwrap();
    let identity = authority.issue(&Leaf::default()).unwrap();
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

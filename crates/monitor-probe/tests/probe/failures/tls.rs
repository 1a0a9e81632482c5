//! Handshakes that fail, and certificates that are refused.

use anyhow::anyhow;
use monitor_core::Phase;
use monitor_probe::{ProberSettings, RevocationLists};
use serde_json::json;
use test_servers::{Authority, Leaf, Script, Server, Validity, http1};

use super::Scenario;
use crate::site::{LATE, SOON, check, check_with, settings};

async fn behaving(script: Script, timeout: &str) -> anyhow::Result<Scenario> {
    let server = Server::plain([script]).await?;
    let site = json!({"url": server.url("https", "/"), "timeout": timeout});
    Ok(Scenario::ends(Phase::Tls, check(site).await).https())
}

pub(super) async fn plain_text() -> anyhow::Result<Scenario> {
    let script = Script::new().read_any();
    behaving(script.send(http1::response(400, &[], "?")), LATE).await
}

pub(super) async fn silence() -> anyhow::Result<Scenario> {
    behaving(Script::new().wait(), SOON).await
}

async fn showing(leaf: Leaf) -> anyhow::Result<Scenario> {
    let authority = Authority::root()?;
    let config = authority.issue(&leaf)?.server(&[])?;
    let server = Server::tls(config, []).await?;
    let site = json!({"url": server.url("https", "/"), "tls_ca": authority.pem()});
    let report = check(site).await;
    let shown = report.tls.as_ref().and_then(|tls| tls.subject.as_deref());
    anyhow::ensure!(shown == Some("CN=test leaf"), "it recorded {shown:?}");
    Ok(Scenario::ends(Phase::Tls, report).https())
}

pub(super) async fn expired() -> anyhow::Result<Scenario> {
    showing(Leaf {
        validity: Validity::Past,
        ..Leaf::default()
    })
    .await
}

pub(super) async fn not_yet_valid() -> anyhow::Result<Scenario> {
    showing(Leaf {
        validity: Validity::Future,
        ..Leaf::default()
    })
    .await
}

pub(super) async fn other_name() -> anyhow::Result<Scenario> {
    showing(Leaf::of("other.test")).await
}

pub(super) async fn revoked() -> anyhow::Result<Scenario> {
    let authority = Authority::root()?;
    let leaf = authority.issue(&Leaf::default())?;
    let server = Server::tls(leaf.server(&[])?, []).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("list.pem");
    std::fs::write(&file, authority.revocation_list(&[&leaf.chain])?)?;
    let settings = ProberSettings {
        revocation_lists: RevocationLists::read(&[file]).map_err(|errors| anyhow!("{errors:?}"))?,
        ..settings()
    };
    let site = json!({"url": server.url("https", "/"), "tls_ca": authority.pem()});
    Ok(Scenario::ends(Phase::Tls, check_with(&settings, site).await).https())
}

pub(super) async fn certificate_of_a_client() -> anyhow::Result<Scenario> {
    showing(Leaf::of_client()).await
}

pub(super) async fn other_authority() -> anyhow::Result<Scenario> {
    let stranger = Authority::root_called("a stranger")?.issue(&Leaf::default())?;
    let server = Server::tls(stranger.server(&[])?, []).await?;
    let ours = Authority::root()?;
    let site = json!({"url": server.url("https", "/"), "tls_ca": ours.pem()});
    Ok(Scenario::ends(Phase::Tls, check(site).await).https())
}

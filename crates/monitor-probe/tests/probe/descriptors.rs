//! A process whose file descriptors are used up.

use std::fs::File;
use std::io;
use std::net::Ipv4Addr;
use std::process::Command;

use anyhow::ensure;
use chrono::Utc;
use monitor_core::{FailureKind, Outcome};
use monitor_probe::{Prober, ProberSettings};
use serde_json::json;
use test_servers::{Script, Server, http1};

use crate::site::{kind, settings, site};

const TEST: &str = "descriptors::used_up_ones_are_our_trouble";
/// Set in a process that runs this one test: what is used up there is missed by nobody else.
const ALONE: &str = "MONITOR_TEST_ALONE";

#[tokio::test]
async fn used_up_ones_are_our_trouble() -> anyhow::Result<()> {
    if std::env::var_os(ALONE).is_some() {
        return checks_without_descriptors().await;
    }
    let command = "ulimit -n 64 && exec \"$0\" \"$@\"";
    let run = Command::new("sh")
        .args(["-c", command])
        .arg(std::env::current_exe()?)
        .args(["--exact", TEST])
        .env(ALONE, "1")
        .output()?;
    let printed = String::from_utf8_lossy(&run.stdout);
    ensure!(printed.contains("1 passed"), "{printed}");
    Ok(())
}

async fn checks_without_descriptors() -> anyhow::Result<()> {
    let server = Server::plain([Script::answer(http1::ok("ok"))]).await?;
    let by_address = server.url("http", "/");
    let by_name = by_address.replace("127.0.0.1", "site.test");
    let settings = ProberSettings {
        name_servers: vec![(Ipv4Addr::LOCALHOST, 53).into()],
        ..settings()
    };
    let prober = Prober::new(&settings)?;
    let taken = use_up()?;
    // Of why no name server can be asked, the resolver tells nothing.
    for (url, expected) in [
        (&by_address, FailureKind::CheckerResources),
        (&by_name, FailureKind::CheckerNetwork),
    ] {
        let report = prober.check(&site(json!({"url": url})), Utc::now()).await;
        ensure!(
            kind(&report) == Some(expected),
            "{url}: {:?}",
            report.failure
        );
        ensure!(report.outcome == Outcome::Error, "{url}");
    }
    drop(taken);
    let report = prober
        .check(&site(json!({"url": by_address})), Utc::now())
        .await;
    ensure!(report.outcome == Outcome::Up, "{:?}", report.failure);
    Ok(())
}

fn use_up() -> anyhow::Result<Vec<File>> {
    let mut taken = Vec::new();
    loop {
        match File::open("/dev/null") {
            Ok(file) => taken.push(file),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Ok(taken),
            Err(error) => return Err(error.into()),
        }
    }
}

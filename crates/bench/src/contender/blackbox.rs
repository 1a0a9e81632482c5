//! `blackbox_exporter`, as a Prometheus server would use it: asked over HTTP for each probe. Only
//! its own CPU time counts, not that of whoever asks.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use local_stack::{Process, Program, ReservedPort, find_executable};

use super::{AtWork, wrk};
use crate::get::get;
use crate::ground::Ground;
use crate::nginx::Scheme;

const NAME: &str = "prometheus-blackbox-exporter";
const START_LIMIT: Duration = Duration::from_secs(10);

pub(super) fn missing() -> Option<&'static str> {
    find_executable(NAME)
        .is_none()
        .then_some("prometheus-blackbox-exporter is not installed")
}

pub(super) fn start(ground: &Ground, scheme: Scheme) -> Result<AtWork> {
    let executable = find_executable(NAME).context("blackbox_exporter is not installed")?;
    let file = ground.stack.path("blackbox.yml");
    let authority = ground.stack.path("authority.pem");
    fs::write(&file, configuration(&authority.to_string_lossy()))?;
    let port = ReservedPort::any()?.release();
    let program = Program::new(
        "blackbox_exporter",
        executable,
        ground.stack.log("blackbox"),
    )
    .args([
        format!("--config.file={}", file.display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ])
    .args(["--log.level=error"]);
    let mut client = Process::start(&program)?;
    let healthy = |_: &_| get(port, "/-/healthy").ok();
    client.wait_until_ready(&ground.stack.control, START_LIMIT, healthy)?;
    let target = ground.nginx.url(scheme);
    let probe = format!("http://127.0.0.1:{port}/probe?module=page&target={target}");
    Ok(AtWork::Other {
        client,
        _driver: Some(wrk::start(ground, &probe, 64)?),
    })
}

fn configuration(authority: &str) -> String {
    format!(
        "modules:
  page:
    prober: http
    timeout: 5s
    http:
      preferred_ip_protocol: ip4
      tls_config:
        ca_file: {authority}
"
    )
}

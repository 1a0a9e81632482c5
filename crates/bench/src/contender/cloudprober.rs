//! `cloudprober`, which checks targets on a schedule of its own and keeps the results in memory, for
//! Prometheus to fetch. It gets the schedule of our checker.

use std::fmt::Write as _;
use std::fs;

use anyhow::Result;
use local_stack::{Process, Program, ReservedPort};

use super::AtWork;
use super::go::{GoProgram, Source};
use crate::ground::Ground;
use crate::nginx::Scheme;

pub(super) const SOURCE: Source = Source {
    name: "cloudprober",
    module: "github.com/cloudprober/cloudprober",
    version: "v0.14.3",
    package: "github.com/cloudprober/cloudprober/cmd/cloudprober",
};

/// It hands its results on every ten seconds by default: its targets start within such a time, so
/// that a window has its share of that, wherever it begins.
const START: u32 = 10;

/// Targets that are each checked once a second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Targets {
    pub(super) scheme: Scheme,
    pub(super) count: u32,
}

impl Targets {
    /// Requests until all of them have started, and the first ones have handed on their results.
    pub(super) fn warm_up(self) -> u64 {
        u64::from(self.count) * u64::from(START / 2 + 1)
    }
}

pub(super) fn start(ground: &Ground, targets: Targets, program: &GoProgram) -> Result<AtWork> {
    let file = ground.stack.path("cloudprober.cfg");
    let port = ReservedPort::any()?.release();
    let url = ground.nginx.url(targets.scheme);
    let authority = ground.stack.path("authority.pem");
    let text = configuration(port, &url, targets, &authority.to_string_lossy());
    fs::write(&file, text)?;
    let program = Program::new("cloudprober", &program.0, ground.stack.log("cloudprober"))
        .args([format!("--config_file={}", file.display())])
        .args(["--min_log_level=ERROR", "--disable_cloud_logging"])
        // Without these two it asks the network whether it runs in a cloud.
        .args(["--cloud_metadata=none"])
        .env("GCE_METADATA_HOST", "127.0.0.1:1");
    Process::start(&program).map(AtWork::alone)
}

fn configuration(port: u16, url: &str, targets: Targets, authority: &str) -> String {
    let gap = START * 1000 / targets.count;
    let mut endpoints = String::new();
    for number in 1..=targets.count {
        // Writing to a string cannot fail.
        writeln!(
            endpoints,
            "    endpoint {{ name: \"page-{number}\" url: \"{url}\" }}"
        )
        .ok();
    }
    format!(
        "host: \"127.0.0.1\"
port: {port}
surfacer {{ type: PROMETHEUS }}
probe {{
  name: \"page\"
  type: HTTP
  targets {{
{endpoints}  }}
  interval_msec: 1000
  timeout_msec: 1000
  http_probe {{
    interval_between_targets_msec: {gap}
    tls_config {{ ca_cert_file: \"{authority}\" }}
  }}
  validator {{
    name: \"status\"
    http_validator {{ success_status_codes: \"200-299\" }}
  }}
}}
"
    )
}

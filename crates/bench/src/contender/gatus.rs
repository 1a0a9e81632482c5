//! `gatus`, which checks endpoints on a schedule of its own and keeps the results in memory. With
//! the shortest of intervals, each endpoint is checked again as soon as its last check has ended.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use local_stack::{Process, Program, ReservedPort};

use super::go::{GoProgram, Source};
use super::{AT_A_TIME, AtWork};
use crate::get::get;
use crate::ground::Ground;
use crate::nginx::Scheme;

pub(super) const SOURCE: Source = Source {
    name: "gatus",
    module: "github.com/TwiN/gatus/v5",
    version: "v5.36.0",
    package: "github.com/TwiN/gatus/v5",
};

/// It starts an endpoint every 222 ms.
const START_LIMIT: Duration = Duration::from_mins(1);

pub(super) fn start(ground: &Ground, scheme: Scheme, program: &GoProgram) -> Result<AtWork> {
    let file = ground.stack.path("gatus.yaml");
    let port = ReservedPort::any()?.release();
    fs::write(&file, configuration(port, &ground.nginx.url(scheme)))?;
    let program = Program::new("gatus", &program.0, ground.stack.log("gatus"))
        .env("GATUS_CONFIG_PATH", &file)
        .env("GATUS_LOG_LEVEL", "ERROR")
        .env("SSL_CERT_FILE", ground.stack.path("authority.pem"));
    let mut client = Process::start(&program)?;
    let all_started = |_: &_| {
        let page = get(port, "/api/v1/endpoints/statuses?pageSize=1").ok()?;
        (page.matches("\"key\":").count() >= AT_A_TIME as usize).then_some(())
    };
    client
        .wait_until_ready(&ground.stack.control, START_LIMIT, all_started)
        .context("not all endpoints of gatus have started")?;
    Ok(AtWork::alone(client))
}

/// `Connection: close` makes each check open a connection of its own.
fn configuration(port: u16, url: &str) -> String {
    let mut text = format!(
        "web:
  address: 127.0.0.1
  port: {port}
concurrency: {AT_A_TIME}
endpoints:
"
    );
    for number in 1..=AT_A_TIME {
        // Writing to a string cannot fail.
        write!(
            text,
            "  - name: page-{number}
    url: {url}
    interval: 1ms
    headers: {{ Connection: close }}
    conditions: ['[STATUS] == 200']
"
        )
        .ok();
    }
    text
}

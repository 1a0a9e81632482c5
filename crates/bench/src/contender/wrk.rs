//! `wrk`: a new connection for each request, one thread.

use anyhow::{Context as _, Result};
use local_stack::{Process, Program, find_executable};

use crate::ground::Ground;

/// Longer than any window: it is stopped when its window has closed.
const DURATION: &str = "600s";

pub(super) fn missing() -> Option<&'static str> {
    find_executable("wrk")
        .is_none()
        .then_some("wrk is not installed")
}

pub(super) fn start(ground: &Ground, url: &str, connections: u32) -> Result<Process> {
    let executable = find_executable("wrk").context("wrk is not installed")?;
    let program = Program::new("wrk", executable, ground.stack.log("wrk"))
        .args(["-t1", &format!("-c{connections}"), "-d", DURATION])
        .args(["-H", "Connection: close", url]);
    Process::start(&program)
}

//! Our checker, and what it says of itself.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use local_stack::{Process, ReservedPort, Signal, StopStep};

use crate::get::{get, metric};
use crate::ground::{Ground, Sites};
use crate::histogram::Histogram;

const START_LIMIT: Duration = Duration::from_mins(1);
/// Checks that nobody answers are given up after half of the default grace period.
const STOP_PATIENCE: Duration = Duration::from_secs(20);

/// Starts a checker that checks every site once, as fast as it can.
pub(super) fn check_once(ground: &Ground, sites: &Sites, at_a_time: u32) -> Result<Process> {
    let program = ground
        .checker(sites)
        .args(["--once"])
        .env("CHECKER_MAX_IN_FLIGHT", at_a_time.to_string())
        .stop_with([StopStep::new(Signal::SIGKILL, STOP_PATIENCE)]);
    Process::start(&program)
}

/// A running checker.
pub(crate) struct Checker {
    process: Process,
    ops: u16,
}

impl Checker {
    /// Starts it, and waits until it has read its sites.
    pub(crate) fn start(ground: &Ground, sites: &Sites) -> Result<Self> {
        let ops = ReservedPort::any()?.release();
        let program = ground
            .checker(sites)
            .env("OPS_LISTEN", format!("127.0.0.1:{ops}"))
            .stop_with([StopStep::new(Signal::SIGTERM, STOP_PATIENCE)]);
        let mut process = Process::start(&program)?;
        let has_sites = |page: &str| metric(page, "checker_sites") == Some(f64::from(sites.count));
        process.wait_until_ready(&ground.stack.control, START_LIMIT, |_| {
            get(ops, "/readyz").ok()?;
            has_sites(&get(ops, "/metrics").ok()?).then_some(())
        })?;
        Ok(Self { process, ops })
    }

    /// Waits until so many checks run.
    pub(crate) fn wait_for_in_flight(&self, ground: &Ground, least: f64) -> Result<f64> {
        let enough = || {
            let running = metric(&self.page()?, "checker_in_flight");
            Ok(running.filter(|running| *running >= least))
        };
        match ground.stack.control.poll(START_LIMIT, enough)? {
            Some(running) => Ok(running),
            None => bail!("fewer than {least} checks in flight"),
        }
    }

    /// How late its checks have started so far.
    pub(crate) fn lateness(&self) -> Result<Histogram> {
        let page = self.page()?;
        Ok(Histogram::read(&page, "checker_start_lateness_seconds"))
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    fn page(&self) -> Result<String> {
        get(self.ops, "/metrics").context("the checker does not answer")
    }
}

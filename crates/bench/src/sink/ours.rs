//! Our sink, and what it says of itself.

use std::time::Duration;

use anyhow::{Result, ensure};
use local_stack::{Process, ReservedPort, Signal, StopStep};

use super::meter::{self, Look, Pace};
use crate::cpu;
use crate::get::{get, metric};
use crate::stack::Stack;

const START_LIMIT: Duration = Duration::from_mins(1);
const STOP_PATIENCE: Duration = Duration::from_secs(30);
/// Longer than any filling takes, even under a debugger.
const FILL_LIMIT: Duration = Duration::from_mins(5);
const STORED: &str = "sink_events_stored_total";

/// Where a sink reads and writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route<'a> {
    pub(crate) topic: &'a str,
    pub(crate) database: &'a str,
}

/// A running sink, with the settings that it has by default.
pub(crate) struct Sink {
    process: Process,
    ops: u16,
}

impl Sink {
    /// Starts it, and waits until it answers.
    pub(crate) fn start(stack: &Stack, route: Route<'_>) -> Result<Self> {
        let ops = ReservedPort::any()?.release();
        let program = stack
            .program("sink", route.database)
            .env("KAFKA_TOPIC", route.topic)
            .env("SINK_GROUP", route.database)
            .env("OPS_LISTEN", format!("127.0.0.1:{ops}"))
            .stop_with([StopStep::new(Signal::SIGTERM, STOP_PATIENCE)]);
        let mut process = Process::start(&program)?;
        process.wait_until_ready(&stack.control, START_LIMIT, |_| get(ops, "/metrics").ok())?;
        Ok(Self { process, ops })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits until it has stored more than so many events.
    pub(crate) fn wait_for(&mut self, stack: &Stack, more_than: f64) -> Result<()> {
        self.wait_for_metric(stack, STORED, more_than)
    }

    /// Waits until one of its numbers is more than this.
    pub(crate) fn wait_for_metric(
        &mut self,
        stack: &Stack,
        name: &str,
        more_than: f64,
    ) -> Result<()> {
        let reached = stack.control.poll(FILL_LIMIT, || {
            let value = self.metric(name)?;
            Ok((value > more_than).then_some(()))
        })?;
        ensure!(
            reached.is_some(),
            "{name} is still at most {more_than}\n{}",
            self.process.log().tail()
        );
        Ok(())
    }

    /// How many events it says it has stored.
    pub(crate) fn stored(&mut self) -> Result<f64> {
        self.metric(STORED)
    }

    /// One of its numbers; zero when it is not there yet.
    pub(crate) fn metric(&mut self, name: &str) -> Result<f64> {
        self.process.fail_if_exited()?;
        let page = get(self.ops, "/metrics")?;
        Ok(metric(&page, name).unwrap_or_default())
    }

    /// Stops it, as an operator would.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.process.stop().map(drop)
    }
}

/// From a full topic to the last committed row. The clock runs from the first batch on: what comes
/// before is starting a process and joining a group, which happens once.
pub(crate) fn fill(stack: &Stack, route: Route<'_>, events: u32) -> Result<(Pace, u64)> {
    stack.database(route.database)?;
    meter::settle(stack)?;
    let stored = || meter::count(stack, route.database, "checks");
    let mut sink = Sink::start(stack, route)?;
    sink.wait_for(stack, 0.0)?;
    let before = Look::now(stack, sink.id(), stored)?;
    sink.wait_for(stack, f64::from(events) - 0.5)?;
    let after = Look::now(stack, sink.id(), stored)?;
    ensure!(
        after.rows == u64::from(events),
        "{events} events have become {} rows",
        after.rows
    );
    let peak = cpu::peak(sink.id())?;
    sink.stop()?;
    Ok((before.until(&after)?, peak))
}

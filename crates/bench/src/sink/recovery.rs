//! After a pause of the sink: how fast it makes up for it while new events come in.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use chrono::{TimeDelta, Utc};
use serde::Serialize;

use super::latency::{RATE, wait_until};
use super::meter;
use super::ours::{Route, Sink};
use super::topic::{self, Feeder};
use super::workload::Workload;
use crate::stack::Stack;

const DATABASE: &str = "recovery";
const TOPIC: &str = "bench.recovery";
const LIMIT: Duration = Duration::from_mins(5);

/// What was measured.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Recovery {
    /// Events that waited when the sink was started.
    pub(crate) backlog: u32,
    /// From the start of its process until no event waited.
    pub(crate) seconds: f64,
    /// Rows a second in this time, by the rate at which events came in.
    pub(crate) times_arrival: f64,
}

/// Lets events of `pause` pile up, then starts the sink while more of them come in.
pub(crate) fn measure(stack: &Stack, pause: Duration) -> Result<Recovery> {
    stack.database(DATABASE)?;
    stack.create_topic(TOPIC)?;
    let backlog = RATE * u32::try_from(pause.as_secs())?;
    let workload = Workload {
        region: "bench".parse()?,
        sites: 1_000,
        first: Utc::now() - TimeDelta::from_std(pause)?,
        gap: TimeDelta::milliseconds(i64::from(1_000 / RATE)),
        count: u32::MAX,
    };
    let piled = (0..backlog).map(|number| workload.event(number));
    topic::fill(stack, TOPIC, piled)?;
    // Those that came in while the pile was made.
    let (sent, done) = (AtomicU32::new(backlog), AtomicBool::new(false));
    thread::scope(|scope| {
        let arriving = scope.spawn(|| arrive(stack, &workload, &sent, &done));
        let caught_up = catch_up(stack, &sent);
        done.store(true, Ordering::Relaxed);
        let arrived = arriving.join();
        arrived.map_err(|_| anyhow!("the sender has panicked"))??;
        let (seconds, stored) = caught_up?;
        Ok(Recovery {
            backlog,
            seconds,
            times_arrival: stored / seconds / f64::from(RATE),
        })
    })
}

/// Sends each event when it is due, until told to stop.
fn arrive(stack: &Stack, workload: &Workload, sent: &AtomicU32, done: &AtomicBool) -> Result<()> {
    let mut feeder = Feeder::new(stack, TOPIC)?;
    while !done.load(Ordering::Relaxed) {
        let event = workload.event(sent.load(Ordering::Relaxed));
        wait_until(event.scheduled_at, &stack.control)?;
        feeder.send(&event)?;
        sent.fetch_add(1, Ordering::Relaxed);
    }
    feeder.finish()
}

/// Starts the sink; how long it takes until it has stored all that had been sent a moment before.
fn catch_up(stack: &Stack, sent: &AtomicU32) -> Result<(f64, f64)> {
    let route = Route {
        topic: TOPIC,
        database: DATABASE,
    };
    meter::settle(stack)?;
    let started = Instant::now();
    let mut sink = Sink::start(stack, route)?;
    let stored = stack.control.poll(LIMIT, || {
        // What is on its way for less than half a second is not late.
        let on_time = f64::from(sent.load(Ordering::Relaxed)) - f64::from(RATE) / 2.0;
        let stored = sink.stored()?;
        Ok((stored >= on_time).then_some(stored))
    })?;
    let seconds = started.elapsed().as_secs_f64();
    let stored = stored.context("the sink has not caught up in time")?;
    sink.stop()?;
    Ok((seconds, stored))
}

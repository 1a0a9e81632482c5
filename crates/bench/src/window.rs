//! A stretch of time in which a client works: what it used, and what the server saw of it.

use std::num::NonZero;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use local_stack::Control;
use serde::Serialize;

use crate::cpu;
use crate::nginx::Nginx;

/// Foreign load from which on numbers are to be doubted.
pub(crate) const NOISY: f64 = 0.15;

/// What was measured.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Window {
    /// CPU microseconds of the client for each request that the server saw.
    pub(crate) cpu_micros: f64,
    /// Requests a second.
    pub(crate) rate: f64,
    /// How much of the machine others kept busy, 0 to 1: neither the client, nor the server, nor
    /// anything else that this run has started.
    pub(crate) foreign: f64,
}

struct Reading {
    at: Instant,
    client: Duration,
    ours: Duration,
    machine: Duration,
    requests: u64,
}

/// Watches the process `client`, and everything that it has started, for a time.
pub(crate) fn watch(
    client: u32,
    server: &Nginx,
    length: Duration,
    control: &Control,
) -> Result<Window> {
    let before = read(client, server)?;
    control.poll(length, || Ok(None::<()>))?;
    let after = read(client, server)?;
    between(&before, &after)
}

fn read(client: u32, server: &Nginx) -> Result<Reading> {
    Ok(Reading {
        at: Instant::now(),
        client: cpu::of_tree(client)?,
        ours: cpu::of_tree(process::id())?,
        machine: cpu::of_machine()?,
        requests: server.requests()?,
    })
}

/// How much of the machine others have kept busy, 0 to 1: what the machine has used, but for what we
/// and all that we have started have.
pub(crate) fn foreign(ours: Duration, machine: Duration, passed: Duration) -> f64 {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let cores = f64::from(u32::try_from(cores).unwrap_or(u32::MAX));
    let theirs = machine.as_secs_f64() - ours.as_secs_f64();
    (theirs / passed.as_secs_f64() / cores).clamp(0.0, 1.0)
}

/// A stretch of time, and what others do in it.
#[derive(Debug)]
pub(crate) struct Others {
    at: Instant,
    ours: Duration,
    machine: Duration,
}

impl Others {
    pub(crate) fn begin() -> Result<Self> {
        Ok(Self {
            at: Instant::now(),
            ours: cpu::of_tree(process::id())?,
            machine: cpu::of_machine()?,
        })
    }

    /// How much of the machine they have kept busy since then, 0 to 1.
    pub(crate) fn share(&self) -> Result<f64> {
        let now = Self::begin()?;
        let ours = now.ours.saturating_sub(self.ours);
        let machine = now.machine.saturating_sub(self.machine);
        Ok(foreign(ours, machine, now.at - self.at))
    }
}

fn between(before: &Reading, after: &Reading) -> Result<Window> {
    // The server has also seen our own question, once between the two readings.
    let requests = (after.requests - before.requests).saturating_sub(1);
    ensure!(requests > 0, "the server saw no request");
    let requests = f64::from(u32::try_from(requests)?);
    let passed = after.at - before.at;
    let used = |of: fn(&Reading) -> Duration| of(after).saturating_sub(of(before));
    let (ours, machine) = (
        used(|reading| reading.ours),
        used(|reading| reading.machine),
    );
    Ok(Window {
        cpu_micros: 1e6 * used(|reading| reading.client).as_secs_f64() / requests,
        rate: requests / passed.as_secs_f64(),
        foreign: foreign(ours, machine, passed),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(at: Instant, [client, ours, machine]: [u64; 3], requests: u64) -> Reading {
        let [client, ours, machine] = [client, ours, machine].map(Duration::from_millis);
        Reading {
            at,
            client,
            ours,
            machine,
            requests,
        }
    }

    fn close(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-9
    }

    #[test]
    fn cost_is_the_clients_time_over_the_servers_count_without_our_own_question() {
        let start = Instant::now();
        let before = reading(start, [100, 500, 2000], 10);
        let end = start + Duration::from_secs(2);
        let after = reading(end, [300, 1500, 3600], 4011);
        let window = between(&before, &after).unwrap();
        assert!(close(window.cpu_micros, 50.0), "{window:?}");
        assert!(close(window.rate, 2000.0), "{window:?}");
    }

    #[test]
    fn what_others_did_is_a_share_of_the_machine() {
        let [ours, machine, passed] = [1, 2, 100].map(Duration::from_secs);
        let share = foreign(ours, machine, passed);
        assert!(share > 0.0 && share <= 0.01, "{share}");
        assert!(close(foreign(machine, ours, passed), 0.0));
    }

    #[test]
    fn nothing_can_be_said_when_the_server_saw_nothing() {
        let start = Instant::now();
        let (before, after) = (reading(start, [0; 3], 7), reading(start, [9; 3], 8));
        assert!(between(&before, &after).is_err());
    }
}

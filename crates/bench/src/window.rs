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
    between(&before, &after, cores())
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

fn cores() -> u32 {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    u32::try_from(cores).unwrap_or(u32::MAX)
}

fn between(before: &Reading, after: &Reading, cores: u32) -> Result<Window> {
    // The server has also seen our own question, once between the two readings.
    let requests = (after.requests - before.requests).saturating_sub(1);
    ensure!(requests > 0, "the server saw no request");
    let requests = f64::from(u32::try_from(requests)?);
    let seconds = (after.at - before.at).as_secs_f64();
    let used = |of: fn(&Reading) -> Duration| of(after).saturating_sub(of(before)).as_secs_f64();
    let foreign = used(|reading| reading.machine) - used(|reading| reading.ours);
    Ok(Window {
        cpu_micros: 1e6 * used(|reading| reading.client) / requests,
        rate: requests / seconds,
        foreign: (foreign / seconds / f64::from(cores)).clamp(0.0, 1.0),
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
        let window = between(&before, &after, 2).unwrap();
        assert!(close(window.cpu_micros, 50.0), "{window:?}");
        assert!(close(window.rate, 2000.0), "{window:?}");
        assert!(close(window.foreign, 0.15), "{window:?}");
    }

    #[test]
    fn nothing_can_be_said_when_the_server_saw_nothing() {
        let start = Instant::now();
        let (before, after) = (reading(start, [0; 3], 7), reading(start, [9; 3], 8));
        assert!(between(&before, &after, 2).is_err());
    }
}

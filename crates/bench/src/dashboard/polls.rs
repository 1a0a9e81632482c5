//! What an open page costs the API: the overview, again and again.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde::Serialize;

use super::Scene;
use crate::cpu;
use crate::get::get_compressed;
use crate::stack::Stack;

pub(super) const OVERVIEW: &str = "/api/v1/overview?window=24h";
/// An overview is at most a second old: who asks later has a new one put together.
const PAUSE: Duration = Duration::from_millis(1200);

/// One API in one round; CPU and time are those of one answer.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Poll {
    pub(super) round: u32,
    pub(super) sites: u32,
    pub(super) cpu_ms: f64,
    pub(super) took_ms: f64,
    pub(super) bytes: usize,
}

/// Asks all APIs so many times.
pub(super) fn ask(stack: &Stack, scenes: &[Scene], round: u32, times: u32) -> Result<Vec<Poll>> {
    let begin: Vec<Duration> = used(scenes)?;
    let mut took = vec![Duration::ZERO; scenes.len()];
    let mut bytes = vec![0; scenes.len()];
    for _ in 0..times {
        stack.control.poll(PAUSE, || Ok(None::<()>))?;
        for (index, Scene { api, .. }) in scenes.iter().enumerate() {
            let asked = Instant::now();
            bytes[index] = get_compressed(api.port(), OVERVIEW)?;
            took[index] += asked.elapsed();
        }
    }
    let end = used(scenes)?;
    let each = |time: Duration| 1e3 * time.as_secs_f64() / f64::from(times);
    let polls = scenes.iter().enumerate().map(|(index, scene)| Poll {
        round,
        sites: scene.fleet.sites,
        cpu_ms: each(end[index].saturating_sub(begin[index])),
        took_ms: each(took[index]),
        bytes: bytes[index],
    });
    Ok(polls.collect())
}

fn used(scenes: &[Scene]) -> Result<Vec<Duration>> {
    let used = scenes.iter().map(|scene| cpu::of_threads(scene.api.id()));
    used.collect()
}

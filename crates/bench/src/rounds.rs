//! Contender after contender, round after round: whatever disturbs the machine disturbs them alike.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::console;
use crate::contender::{AtWork, Contender, Means};
use crate::cpu;
use crate::histogram::Between;
use crate::nginx::Scheme;
use crate::window::{self, Window};

const WARM_UP_LIMIT: Duration = Duration::from_mins(2);

/// One contender in one round.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sample {
    pub(crate) round: u32,
    pub(crate) scheme: Scheme,
    pub(crate) contender: Contender,
    #[serde(flatten)]
    pub(crate) window: Window,
    pub(crate) resident_bytes: u64,
    pub(crate) lateness_p50: Option<Between>,
    pub(crate) lateness_p99: Option<Between>,
}

/// How long and how often.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Plan {
    pub(crate) rounds: u32,
    pub(crate) window: Duration,
}

/// Measures all contenders over HTTP and HTTPS in every round.
pub(crate) fn run(plan: Plan, contenders: &[Contender], means: &Means<'_>) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for round in 1..=plan.rounds {
        for scheme in Scheme::BOTH {
            for contender in contenders {
                let name = scheme.name();
                let sample = measure(round, scheme, *contender, plan.window, means)
                    .with_context(|| format!("{contender}, {name}"))?;
                let Window {
                    cpu_micros, rate, ..
                } = sample.window;
                console::say(&format!(
                    "  round {round}, {name}, {contender}: {cpu_micros:.1} µs, {rate:.0}/s"
                ));
                samples.push(sample);
            }
        }
    }
    Ok(samples)
}

fn measure(
    round: u32,
    scheme: Scheme,
    contender: Contender,
    length: Duration,
    means: &Means<'_>,
) -> Result<Sample> {
    let ground = means.ground;
    let at_work = contender.start(scheme, means)?;
    warm_up(&at_work, contender.warm_up(scheme, means), means)?;
    let before = at_work.lateness()?;
    let window = window::watch(at_work.id(), &ground.nginx, length, &ground.stack.control)?;
    let lateness = at_work.lateness()?.since(&before);
    Ok(Sample {
        round,
        scheme,
        contender,
        window,
        resident_bytes: cpu::resident(at_work.id())?,
        lateness_p50: lateness.quantile(0.50),
        lateness_p99: lateness.quantile(0.99),
    })
}

fn warm_up(at_work: &AtWork, requests: u64, means: &Means<'_>) -> Result<()> {
    let ground = means.ground;
    let enough = ground.nginx.requests()? + requests;
    let warm = || {
        cpu::resident(at_work.id()).context("it has ended")?;
        Ok((ground.nginx.requests()? >= enough).then_some(()))
    };
    let warmed = ground.stack.control.poll(WARM_UP_LIMIT, warm)?;
    warmed.context("the server sees hardly any requests")
}

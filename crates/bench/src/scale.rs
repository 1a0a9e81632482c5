//! As many sites as one checker is meant for: what they take, and how late their checks start.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::console;
use crate::contender::{Checker, Contender};
use crate::cpu;
use crate::ground::{self, Ground, SiteKind};
use crate::histogram::Between;
use crate::nginx::Scheme;
use crate::rounds::Sample;
use crate::statistics::Spread;
use crate::window;

/// Checks a second at which a checker has next to nothing to do.
const AT_REST: f64 = 100.0;
/// Share of what the checker does at full load.
const BUSY: f64 = 0.7;
/// What came due while the sites were taken over is late, and past by then.
const SETTLING: Duration = Duration::from_secs(5);
/// Long enough for a percentile of few checks.
const WINDOW: Duration = Duration::from_secs(20);

/// A checker with many sites, at some load.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Scale {
    pub(crate) sites: u32,
    /// Share of the rate at full load.
    pub(crate) load: f64,
    /// Checks a second.
    pub(crate) rate: f64,
    pub(crate) resident_bytes: u64,
    pub(crate) lateness_p50: Option<Between>,
    pub(crate) lateness_p99: Option<Between>,
}

/// Measures a checker with so many sites, at rest and busy.
pub(crate) fn measure(ground: &Ground, samples: &[Sample], sites: u32) -> Result<Vec<Scale>> {
    let rates = samples
        .iter()
        .filter(|sample| {
            (sample.contender, sample.scheme) == (Contender::CheckerFull, Scheme::Http)
        })
        .map(|sample| sample.window.rate);
    let full = Spread::of(rates).context("the checker was not measured")?;
    let at = |rate| at_rate(ground, sites, rate, full.median);
    Ok(vec![at(AT_REST)?, at(BUSY * full.median)?])
}

fn at_rate(ground: &Ground, count: u32, rate: f64, full: f64) -> Result<Scale> {
    let interval = format!("{:.0}s", (f64::from(count) / rate).ceil());
    let kind = SiteKind {
        scheme: Scheme::Http,
        url: ground.nginx.url(Scheme::Http),
        interval: interval.clone(),
        timeout: "1s",
        at_a_time: ground::OF_ONE_HOST,
    };
    let sites = ground.sites(&format!("every {interval}"), count, &kind)?;
    let checker = Checker::start(ground, &sites)?;
    ground.stack.control.poll(SETTLING, || Ok(None::<()>))?;
    let before = checker.lateness()?;
    let window = window::watch(checker.id(), &ground.nginx, WINDOW, &ground.stack.control)?;
    let lateness = checker.lateness()?.since(&before);
    let rate = window.rate;
    console::say(&format!("  {count} sites, {rate:.0}/s: done"));
    Ok(Scale {
        sites: count,
        load: rate / full,
        rate,
        resident_bytes: cpu::resident(checker.id())?,
        lateness_p50: lateness.quantile(0.50),
        lateness_p99: lateness.quantile(0.99),
    })
}

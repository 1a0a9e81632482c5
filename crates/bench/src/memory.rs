//! What our checker keeps in memory: by itself, for a site that waits, and for a check that runs.

use anyhow::Result;
use serde::Serialize;

use crate::console;
use crate::contender::Checker;
use crate::cpu;
use crate::ground::{Ground, SiteKind};
use crate::nginx::Scheme;

/// Share of the checks that must run when their memory is read: a few are always between two.
const RUNNING: f64 = 0.98;
/// Longer than any run: nothing comes due.
const NEVER: &str = "24h";
/// A check that nobody answers lasts as long, so that all sites are being checked from then on.
const HELD: &str = "20s";

/// Bytes of resident memory.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Memory {
    pub(crate) without_sites: u64,
    pub(crate) idle_sites: u32,
    pub(crate) per_idle_site: f64,
    pub(crate) checks_in_flight: u32,
    pub(crate) per_plain_check: f64,
    pub(crate) per_tls_check: f64,
}

/// How many sites and checks to divide by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Amounts {
    pub(crate) idle_sites: u32,
    pub(crate) checks_in_flight: u32,
}

/// Starts a checker for each of the numbers.
pub(crate) fn measure(ground: &Ground, amounts: Amounts) -> Result<Memory> {
    let without_sites = idle(ground, 0, Scheme::Http)?;
    let idle_sites = idle(ground, amounts.idle_sites, Scheme::Http)?;
    let idle_growth = difference(idle_sites, without_sites);
    console::say("  memory of idle sites: done");
    let per_plain_check = per_check(ground, amounts.checks_in_flight, Scheme::Http)?;
    let per_tls_check = per_check(ground, amounts.checks_in_flight, Scheme::Https)?;
    console::say("  memory of checks in flight: done");
    Ok(Memory {
        without_sites,
        idle_sites: amounts.idle_sites,
        per_idle_site: idle_growth / f64::from(amounts.idle_sites),
        checks_in_flight: amounts.checks_in_flight,
        per_plain_check,
        per_tls_check,
    })
}

fn idle(ground: &Ground, count: u32, scheme: Scheme) -> Result<u64> {
    let kind = SiteKind {
        scheme,
        url: ground.nginx.silent_url(scheme),
        interval: NEVER.to_owned(),
        timeout: HELD,
        at_a_time: count,
    };
    let name = format!("idle {} {count}", scheme.name());
    let sites = ground.sites(&name, count, &kind)?;
    let checker = Checker::start(ground, &sites)?;
    cpu::resident(checker.id())
}

/// The difference to a checker that has the same sites and checks none of them.
fn per_check(ground: &Ground, count: u32, scheme: Scheme) -> Result<f64> {
    let waiting = idle(ground, count, scheme)?;
    let kind = SiteKind {
        scheme,
        url: ground.nginx.silent_url(scheme),
        interval: HELD.to_owned(),
        timeout: HELD,
        at_a_time: count,
    };
    let sites = ground.sites(&format!("held {}", scheme.name()), count, &kind)?;
    let checker = Checker::start(ground, &sites)?;
    let running = checker.wait_for_in_flight(ground, RUNNING * f64::from(count))?;
    Ok(difference(cpu::resident(checker.id())?, waiting) / running)
}

fn difference(more: u64, less: u64) -> f64 {
    let kibibytes = more.saturating_sub(less) / 1024;
    1024.0 * f64::from(u32::try_from(kibibytes).unwrap_or(u32::MAX))
}

//! `bench checker`: whole checks of our checker, beside a floor and peers.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use local_stack::Control;

use crate::console;
use crate::contender::{BySchemes, Contender, Means, Peers};
use crate::ground::{self, Ground, SiteKind};
use crate::memory::{self, Amounts};
use crate::nginx::Scheme;
use crate::report::Report;
use crate::rounds::{self, Plan};
use crate::scale;
use crate::stack::kept_folder;

/// Checks a second on a schedule, far from what a core can do.
const HTTP_SITES: u32 = 2_000;
const HTTPS_SITES: u32 = 1_000;
const INTERVAL: &str = "1s";
/// More than can be checked in a window and before it.
const PLENTY_HTTP: u32 = 200_000;
const PLENTY_HTTPS: u32 = 40_000;
/// Longer than a run.
const NEVER_AGAIN: &str = "1h";

/// Measures everything and prints the report, which is also written to `target/bench`.
pub(crate) fn run(quick: bool, control: &Control) -> Result<()> {
    console::say("▸ starting PostgreSQL, Kafka and nginx");
    let ground = Ground::start(control)?;
    console::say("▸ measuring");
    let means = means(&ground)?;
    let (present, skipped) = contenders(&means);
    for (contender, reason) in &skipped {
        console::say(&format!("  {contender} is skipped: {reason}"));
    }
    let memory = memory::measure(&ground, amounts(quick))?;
    let plan = plan(quick);
    let samples = rounds::run(plan, &present, &means)?;
    let scale = scale::measure(&ground, &samples, if quick { 100_000 } else { 1_000_000 })?;
    let report = Report {
        plan,
        samples,
        memory,
        scale,
        skipped,
    };
    console::report(&report.to_string());
    let file = kept_folder()?.join("checker.json");
    fs::write(&file, serde_json::to_string_pretty(&report.to_json())?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    console::say(&format!("✔ {}", file.display()));
    Ok(())
}

fn plan(quick: bool) -> Plan {
    let (rounds, seconds) = if quick { (1, 4) } else { (3, 6) };
    Plan {
        rounds,
        window: Duration::from_secs(seconds),
    }
}

fn amounts(quick: bool) -> Amounts {
    let (idle_sites, checks_in_flight) = if quick {
        (10_000, 2_000)
    } else {
        (20_000, 4_000)
    };
    Amounts {
        idle_sites,
        checks_in_flight,
    }
}

fn means(ground: &Ground) -> Result<Means<'_>> {
    let sites = |name: &str, scheme: Scheme, count, interval: &str| {
        let kind = SiteKind {
            scheme,
            url: ground.nginx.url(scheme),
            interval: interval.to_owned(),
            timeout: INTERVAL,
            at_a_time: ground::OF_ONE_HOST,
        };
        ground.sites(&format!("{name}-{}", scheme.name()), count, &kind)
    };
    let by_schemes = |name: &str, http, https, interval: &str| {
        anyhow::Ok(BySchemes {
            http: sites(name, Scheme::Http, http, interval)?,
            https: sites(name, Scheme::Https, https, interval)?,
        })
    };
    let peers = Peers::prepare(ground)?;
    Ok(Means {
        ground,
        scheduled: by_schemes("scheduled", HTTP_SITES, HTTPS_SITES, INTERVAL)?,
        plenty: by_schemes("plenty", PLENTY_HTTP, PLENTY_HTTPS, NEVER_AGAIN)?,
        peers,
    })
}

type Skipped = Vec<(Contender, String)>;

fn contenders(means: &Means<'_>) -> (Vec<Contender>, Skipped) {
    let (mut present, mut skipped) = (Contender::OURS.to_vec(), Vec::new());
    for contender in Contender::OTHERS {
        match contender.missing(&means.peers) {
            None => present.push(contender),
            Some(reason) => skipped.push((contender, reason)),
        }
    }
    (present, skipped)
}

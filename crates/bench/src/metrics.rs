//! `bench metrics`: what answers cost of months of checks, beside plain SQL over the checks and the bare
//! round trip; and the API that gives them, under load.

mod data;
mod load;
mod questions;
mod report;

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use local_stack::{Control, Durability};

use self::data::Extent;
use self::load::Plan;
use self::report::Report;
use crate::console;
use crate::stack::{Stack, kept_folder};
use crate::window::Others;

const DATABASE: &str = "metrics";

/// How much of everything.
#[derive(Clone, Copy, Debug)]
struct Amounts {
    rounds: u32,
    sites: u32,
    days: u32,
    /// Questions of each kind about a site, in each round.
    questions: u32,
    /// How long each kind of request is made.
    load: Duration,
}

/// A fleet and a quarter of a year; the quick run has a fifth of the sites and a third of the time.
const WHOLE: Amounts = Amounts {
    rounds: 3,
    sites: 1_000,
    days: 90,
    questions: 300,
    load: Duration::from_secs(8),
};
const QUICK: Amounts = Amounts {
    rounds: 1,
    sites: 200,
    days: 30,
    questions: 100,
    load: Duration::from_secs(3),
};

/// Measures everything and prints the report, which is also written to `target/bench`.
pub(crate) fn run(quick: bool, control: &Control) -> Result<()> {
    let amounts = if quick { QUICK } else { WHOLE };
    console::say("▸ starting PostgreSQL and Kafka");
    let ours = ["admin", "api", "sink", "examples/metrics_cost"];
    // Nothing that is measured writes: to fill the tables need not wait for the disk.
    let stack = Stack::start(&ours, Durability::FastForTests, control)?;
    let extent = Extent::up_to_now(amounts.sites, amounts.days);
    console::say(&format!(
        "▸ filling {} days of {} sites",
        extent.days, extent.sites
    ));
    let tables = data::fill(&stack, DATABASE, &extent)?;
    console::say("▸ measuring");
    let others = Others::begin()?;
    let questions = questions::ask(&stack, DATABASE, &extent, &amounts)?;
    let load = load::measure(
        &stack,
        DATABASE,
        &Plan {
            rounds: amounts.rounds,
            length: amounts.load,
            sites: amounts.sites,
        },
    )?;
    let report = Report {
        rounds: amounts.rounds,
        foreign: others.share()?,
        extent,
        tables,
        questions,
        load,
    };
    console::report(&report.to_string());
    let file = kept_folder()?.join("metrics.json");
    fs::write(&file, serde_json::to_string_pretty(&report.to_json())?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    console::say(&format!("✔ {}", file.display()));
    Ok(())
}

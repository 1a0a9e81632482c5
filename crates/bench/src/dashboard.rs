//! `bench dashboard`: the overview of ten and of ten thousand sites, in a browser that has never been
//! there, while new checks are stored.

mod browser;
mod fleet;
mod polls;
mod report;
mod writer;

use std::fs;

use anyhow::{Context as _, Result};
use local_stack::{Control, Durability};

use self::browser::Browser;
use self::fleet::Fleet;
use self::report::Report;
use self::writer::Writer;
use crate::api::RunningApi;
use crate::console;
use crate::cpu;
use crate::get::get;
use crate::sink::Route;
use crate::stack::{Stack, kept_folder};
use crate::window::Others;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
struct Amounts {
    rounds: u32,
    /// In the small database and in the large one.
    sites: [u32; 2],
    /// How long is scrolled.
    seconds: u32,
    /// How often each API is asked in each round.
    polls: u32,
}

/// The quick run has a fifth of the sites.
const WHOLE: Amounts = Amounts {
    rounds: 3,
    sites: [10, 10_000],
    seconds: 10,
    polls: 6,
};
const QUICK: Amounts = Amounts {
    rounds: 1,
    sites: [10, 2_000],
    seconds: 4,
    polls: 3,
};

/// A fleet, and everything that it is seen by.
struct Scene {
    fleet: Fleet,
    api: RunningApi,
    writer: Writer,
}

/// Measures everything and prints the report, which is also written to `target/bench`.
pub(crate) fn run(quick: bool, control: &Control) -> Result<()> {
    let amounts = if quick { QUICK } else { WHOLE };
    let browser = Browser::find()?;
    console::say("▸ starting PostgreSQL and Kafka");
    // Nothing that is measured waits for the disk.
    let stack = Stack::start(&["admin", "api", "sink"], Durability::FastForTests, control)?;
    let [small, large] = amounts.sites;
    let scenes = [set(&stack, small)?, set(&stack, large)?];
    console::say("▸ measuring");
    let others = Others::begin()?;
    let mut visits = Vec::new();
    let mut polls = Vec::new();
    for round in 1..=amounts.rounds {
        for Scene { fleet, api, .. } in &scenes {
            let visit = browser.visit(&stack, &api.url(), amounts.seconds);
            let visit = visit.with_context(|| format!("{} sites", fleet.sites))?;
            console::say(&format!(
                "  round {round}, {} sites: interactive after {:.0} ms, {:.0} frames/s",
                fleet.sites,
                visit.interactive_ms,
                visit.frame_rate()
            ));
            visits.push((round, fleet.sites, visit));
        }
        polls.extend(polls::ask(&stack, &scenes, round, amounts.polls)?);
    }
    let foreign = others.share()?;
    let memory = scenes.iter().map(|scene| cpu::peak(scene.api.id()));
    let report = Report {
        rounds: amounts.rounds,
        sites: amounts.sites,
        foreign,
        visits,
        polls,
        memory: memory.collect::<Result<_>>()?,
    };
    for Scene { writer, .. } in scenes {
        writer.stop()?;
    }
    console::report(&report.to_string());
    let file = kept_folder()?.join("dashboard.json");
    fs::write(&file, serde_json::to_string_pretty(&report.to_json())?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    console::say(&format!("✔ {}", file.display()));
    Ok(())
}

/// Fills a database, goes on storing checks, and starts an API that has answered once.
fn set(stack: &Stack, sites: u32) -> Result<Scene> {
    console::say(&format!("▸ filling a day of {sites} sites"));
    let fleet = Fleet::up_to_now(sites);
    let name = format!("dashboard-{sites}");
    fleet::fill(stack, &name, &fleet)?;
    let route = Route {
        topic: &name,
        database: &name,
    };
    stack.create_topic(&name)?;
    let mut sink = fleet::roll_up(stack, route, &fleet)?;
    let writer = Writer::start(stack, &name, fleet)?;
    sink.wait_for(stack, 0.0)?;
    let api = RunningApi::start(stack, &name)?;
    get(api.port(), polls::OVERVIEW)?;
    Ok(Scene {
        fleet,
        api,
        writer: writer.with(sink),
    })
}

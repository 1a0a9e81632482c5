//! `bench sink`: from a full topic to committed rows, beside the limit and other ways; and what
//! storing costs in time, room and upkeep.

mod connect;
mod copied;
mod latency;
mod meter;
mod one_by_one;
mod ours;
mod recovery;
mod report;
mod topic;
mod upkeep;
mod way;
mod workload;

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use local_stack::{Control, Durability};

use self::connect::Connect;
pub(crate) use self::ours::{Route, Sink};
use self::report::Report;
pub(crate) use self::topic::Feeder;
use self::way::{Means, Way};
use self::workload::Workload;
pub(crate) use self::workload::event;
use crate::console;
use crate::python::Python;
use crate::stack::{Stack, kept_folder};

const TOPIC: &str = "bench.checks";
const CONNECT_TOPIC: &str = "bench.checks-with-schema";
/// Sites of the big topic, each checked once a minute.
const SITES: u32 = 1_000;
const GAP: TimeDelta = TimeDelta::milliseconds(60);

/// How much of everything.
#[derive(Clone, Copy, Debug)]
struct Amounts {
    rounds: u32,
    events: u32,
    /// For Kafka Connect, whose messages are several times as large.
    connect_events: u32,
    window: Duration,
    latency_seconds: u32,
    pause: Duration,
}

/// A day of checks; the quick run has five hours.
const WHOLE: Amounts = Amounts {
    rounds: 3,
    events: 1_440_000,
    connect_events: 400_000,
    window: Duration::from_secs(8),
    latency_seconds: 30,
    pause: Duration::from_mins(10),
};
const QUICK: Amounts = Amounts {
    rounds: 1,
    events: 300_000,
    connect_events: 150_000,
    window: Duration::from_secs(4),
    latency_seconds: 8,
    pause: Duration::from_mins(2),
};

/// Measures everything and prints the report, which is also written to `target/bench`.
pub(crate) fn run(quick: bool, control: &Control) -> Result<()> {
    let amounts = if quick { QUICK } else { WHOLE };
    console::say("▸ starting PostgreSQL and Kafka");
    let stack = Stack::start(&["admin", "sink"], Durability::Durable, control)?;
    let means = prepare(&stack, amounts)?;
    for way in Way::ALL {
        if let Some(reason) = means.missing(way) {
            console::say(&format!("  {way} is skipped: {reason}"));
        }
    }
    console::say("▸ measuring");
    let (samples, kept) = way::run(amounts.rounds, &means)?;
    let route = Route {
        topic: TOPIC,
        database: &kept,
    };
    let report = Report {
        rounds: amounts.rounds,
        events: amounts.events,
        skipped: skipped(&means),
        samples,
        upkeep: upkeep::measure(&stack, route)?,
        latency: latency::measure(&stack, amounts.latency_seconds)?,
        recovery: recovery::measure(&stack, amounts.pause)?,
    };
    console::report(&report.to_string());
    let file = kept_folder()?.join("sink.json");
    fs::write(&file, serde_json::to_string_pretty(&report.to_json())?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    console::say(&format!("✔ {}", file.display()));
    Ok(())
}

/// Measures only how fast the sink fills a database, for those who work on that.
pub(crate) fn run_rate(quick: bool, control: &Control) -> Result<()> {
    let amounts = if quick { QUICK } else { WHOLE };
    console::say("▸ starting PostgreSQL and Kafka");
    let stack = Stack::start(&["admin", "sink"], Durability::Durable, control)?;
    let workload = fill_topic(&stack, amounts)?;
    let not_asked_for = "only the rate was asked for";
    let means = Means {
        stack: &stack,
        topic: TOPIC,
        events: workload.count,
        connect_topic: CONNECT_TOPIC,
        window: amounts.window,
        python: Err(not_asked_for.to_owned()),
        connect: Err(not_asked_for.to_owned()),
    };
    console::say("▸ measuring");
    way::run(3, &means).map(drop)
}

fn fill_topic(stack: &Stack, amounts: Amounts) -> Result<Workload> {
    console::say("▸ filling the topics");
    let workload = yesterday(amounts.events)?;
    stack.create_topic(TOPIC)?;
    topic::fill(stack, TOPIC, workload.events())?;
    Ok(workload)
}

/// Gets what is needed, and fills the topics.
fn prepare(stack: &Stack, amounts: Amounts) -> Result<Means<'_>> {
    let workload = fill_topic(stack, amounts)?;
    let connect = or_reason(Connect::prepare(stack));
    stack.control.check()?;
    if connect.is_ok() {
        stack.create_topic(CONNECT_TOPIC)?;
        let workload = Workload {
            count: amounts.connect_events,
            ..workload
        };
        connect::fill_topic(stack, CONNECT_TOPIC, &workload)?;
    }
    let python = or_reason(Python::prepare(one_by_one::ENVIRONMENT, stack));
    stack.control.check()?;
    Ok(Means {
        stack,
        topic: TOPIC,
        events: amounts.events,
        connect_topic: CONNECT_TOPIC,
        window: amounts.window,
        python,
        connect,
    })
}

/// A day that is over, from its beginning.
fn yesterday(count: u32) -> Result<Workload> {
    let midnight: DateTime<Utc> = Utc::now().date_naive().and_time(NaiveTime::MIN).and_utc();
    Ok(Workload {
        region: "eu-north-1".parse()?,
        sites: SITES,
        first: midnight - TimeDelta::days(1),
        gap: GAP,
        count,
    })
}

fn skipped(means: &Means<'_>) -> Vec<(Way, String)> {
    let reason = |way: Way| Some((way, means.missing(way)?.to_owned()));
    Way::ALL.into_iter().filter_map(reason).collect()
}

/// The whole story goes to whoever runs this, its first line into the report.
fn or_reason<T>(got: Result<T>) -> Result<T, String> {
    got.map_err(|error| {
        let story = format!("{error:#}");
        console::say(&format!("  {story}"));
        story.lines().next().unwrap_or_default().to_owned()
    })
}

//! The API under load: as many requests as it can answer, 64 at a time, over connections that stay.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use local_stack::{Process, Program, find_executable};
use serde::{Deserialize, Serialize};

use crate::api::{CONNECTIONS, RunningApi};
use crate::console;
use crate::cpu;
use crate::get::get;
use crate::stack::Stack;

const SCRIPT: &str = include_str!("requests.lua");
/// Requests at a time.
pub(crate) const AT_A_TIME: u32 = 64;
/// Between two looks at the connections to the database.
const PAUSE: Duration = Duration::from_millis(250);
/// For a load generator to end after its time.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) rounds: u32,
    pub(super) length: Duration,
    pub(super) sites: u32,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Route {
    Uptime,
    Overview,
    Badge,
}

impl Route {
    pub(crate) const ALL: [Self; 3] = [Self::Uptime, Self::Overview, Self::Badge];

    /// Its path, with `%d` where the id of a site goes.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Uptime => "/api/v1/sites/%d/metrics/uptime?step=none",
            Self::Overview => "/api/v1/overview?window=24h",
            Self::Badge => "/badge/%d/uptime.svg",
        }
    }
}

/// What came of one route in one round.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sample {
    pub(crate) round: u32,
    pub(crate) route: Route,
    pub(crate) rate: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) errors: u32,
    /// CPU microseconds of the API for each request, and of PostgreSQL.
    pub(crate) api_micros: f64,
    pub(crate) postgres_micros: f64,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Load {
    pub(crate) samples: Vec<Sample>,
    /// What this API does not answer, and what it says instead.
    pub(crate) skipped: Vec<(Route, String)>,
    /// Most connections to the database at any look.
    pub(crate) connections: u32,
    /// Most that it may have.
    pub(crate) allowed_connections: u32,
    /// The most memory that the API had.
    pub(crate) peak_bytes: u64,
}

/// What the load generator says.
#[derive(Debug, Deserialize)]
struct Outcome {
    requests: u32,
    duration_us: f64,
    errors: u32,
    p50_us: f64,
    p99_us: f64,
}

/// Puts load on each route in every round.
pub(super) fn measure(stack: &Stack, database: &str, plan: &Plan) -> Result<Load> {
    fs::write(stack.path("requests.lua"), SCRIPT).context("cannot write a script")?;
    let api = RunningApi::start(stack, database)?;
    let mut load = Load {
        samples: Vec::new(),
        skipped: Vec::new(),
        connections: 0,
        allowed_connections: CONNECTIONS,
        peak_bytes: 0,
    };
    let mut routes = Vec::new();
    for route in Route::ALL {
        // Whoever is the first to ask waits for plans, and for what is kept from then on.
        match get(api.port(), &route.path().replace("%d", "1")) {
            Ok(_) => routes.push(route),
            Err(error) => load.skipped.push((route, format!("{error:#}"))),
        }
    }
    for round in 1..=plan.rounds {
        for route in routes.iter().copied() {
            let (sample, connections) = put(stack, &api, plan, (round, route))
                .with_context(|| format!("load on {}", route.path()))?;
            console::say(&format!(
                "  round {round}, {}: {:.0}/s, p99 {:.1} ms",
                route.path(),
                sample.rate,
                sample.p99_ms
            ));
            load.connections = load.connections.max(connections);
            load.samples.push(sample);
        }
    }
    load.peak_bytes = cpu::peak(api.id())?;
    Ok(load)
}

fn put(
    stack: &Stack,
    api: &RunningApi,
    plan: &Plan,
    (round, route): (u32, Route),
) -> Result<(Sample, u32)> {
    let used = || anyhow::Ok([cpu::of_tree(api.id())?, cpu::of_tree(stack.postgres_id())?]);
    let before = used()?;
    let mut generator = generator(stack, api, plan, route)?;
    let mut connections = 0;
    let mut next_look = Duration::ZERO;
    let started = std::time::Instant::now();
    let ended = stack.control.poll(plan.length + PATIENCE, || {
        if started.elapsed() >= next_look {
            connections = connections.max(look(stack)?);
            next_look += PAUSE;
        }
        generator.exited()
    })?;
    let after = used()?;
    let status = ended.context("the load generator does not end")?;
    ensure!(status.success(), "wrk: {}", generator.log().tail());
    let text = fs::read_to_string(stack.log("wrk")).context("cannot read what wrk says")?;
    let line = text.lines().rfind(|line| line.starts_with('{'));
    let outcome: Outcome = serde_json::from_str(line.context("wrk says nothing")?)?;
    ensure!(outcome.requests > 0, "no request was answered");
    let requests = f64::from(outcome.requests);
    let [api_micros, postgres_micros] = [0, 1].map(|index| {
        let used = after[index].saturating_sub(before[index]);
        1e6 * used.as_secs_f64() / requests
    });
    let sample = Sample {
        round,
        route,
        rate: 1e6 * requests / outcome.duration_us,
        p50_ms: outcome.p50_us / 1e3,
        p99_ms: outcome.p99_us / 1e3,
        errors: outcome.errors,
        api_micros,
        postgres_micros,
    };
    Ok((sample, connections))
}

fn generator(stack: &Stack, api: &RunningApi, plan: &Plan, route: Route) -> Result<Process> {
    let executable = find_executable("wrk").context("wrk is not installed")?;
    let script = stack.path("requests.lua");
    let program = Program::new("wrk", executable, stack.log("wrk"))
        .args(["-t1", &format!("-c{AT_A_TIME}")])
        .args(["-d", &format!("{}s", plan.length.as_secs())])
        .args(["-s", &script.to_string_lossy(), &api.url(), "--"])
        .args([route.path(), &plan.sites.to_string()]);
    Process::start(&program)
}

/// How many connections the API has to the database.
fn look(stack: &Stack) -> Result<u32> {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'api'";
    let text = stack.postgres().query("postgres", count)?;
    text.parse()
        .with_context(|| format!("cannot understand {text:?}"))
}

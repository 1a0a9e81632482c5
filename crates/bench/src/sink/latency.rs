//! How long after an event was due to be sent another session of the database sees its row.
//!
//! Events are sent at instants that are fixed beforehand, so whatever is late counts against the
//! row; each is the slot of its event, which is in the row. A function in the database asks for
//! every tenth row, again and again, and takes the time when it is there.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use local_stack::Control;
use serde::Serialize;

use super::ours::{Route, Sink};
use super::topic::Feeder;
use super::workload::Workload;
use crate::cpu;
use crate::stack::Stack;

const DATABASE: &str = "latency";
const TOPIC: &str = "bench.latency";
/// Events a second.
pub(crate) const RATE: u32 = 1_000;
/// One in so many is waited for.
const WATCHED: u32 = 10;
/// From when everything is ready until the first event is due.
const AHEAD: TimeDelta = TimeDelta::seconds(3);
/// How long the last rows are waited for.
const PATIENCE: TimeDelta = TimeDelta::seconds(10);

/// What was measured, in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Latency {
    pub(crate) events: u32,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
    /// CPU microseconds of the sink for each event at this rate.
    pub(crate) sink_micros: f64,
}

/// Sends events for a time and watches their rows appear.
pub(crate) fn measure(stack: &Stack, seconds: u32) -> Result<Latency> {
    stack.database(DATABASE)?;
    stack.create_topic(TOPIC)?;
    let route = Route {
        topic: TOPIC,
        database: DATABASE,
    };
    let mut sink = Sink::start(stack, route)?;
    warm_up(stack, &mut sink)?;
    let workload = Workload {
        region: "bench".parse()?,
        sites: 1_000,
        first: whole_milliseconds(Utc::now() + AHEAD)?,
        gap: TimeDelta::milliseconds(i64::from(1_000 / RATE)),
        count: seconds * RATE,
    };
    watch_for(stack, &workload)?;
    let before = cpu::of_tree(sink.id())?;
    let watcher = Watcher::start(stack, &workload)?;
    send_on_time(stack, &workload)?;
    watcher.wait()?;
    let used = cpu::of_tree(sink.id())?.saturating_sub(before);
    sink.stop()?;
    let latency = read(stack, workload.count)?;
    Ok(Latency {
        sink_micros: 1e6 * used.as_secs_f64() / f64::from(workload.count),
        ..latency
    })
}

/// A few old events, so that everybody is connected and has its partitions.
fn warm_up(stack: &Stack, sink: &mut Sink) -> Result<()> {
    let old = Workload {
        region: "warm-up".parse()?,
        sites: 1_000,
        first: whole_milliseconds(Utc::now() - TimeDelta::minutes(5))?,
        gap: TimeDelta::milliseconds(1),
        count: 5_000,
    };
    super::topic::fill(stack, TOPIC, old.events())?;
    sink.wait_for(stack, f64::from(old.count) - 0.5)
}

fn whole_milliseconds(at: DateTime<Utc>) -> Result<DateTime<Utc>> {
    let whole = Utc.timestamp_millis_opt(at.timestamp_millis());
    whole.single().context("this is no time")
}

/// Tells the database which rows are waited for.
fn watch_for(stack: &Stack, workload: &Workload) -> Result<()> {
    let (first, sites) = (workload.first.to_rfc3339(), workload.sites);
    let last = workload.count - 1;
    let gap = workload.gap.num_milliseconds();
    let sql = format!(
        "CREATE TABLE watched AS
         SELECT number % {sites} + 1::BIGINT AS site_id,
                TIMESTAMPTZ '{first}' + number * INTERVAL '{gap} milliseconds' AS scheduled_at,
                NULL::TIMESTAMPTZ AS seen_at
         FROM generate_series(0, {last}, {WATCHED}) AS number;
         CREATE INDEX ON watched (scheduled_at) WHERE seen_at IS NULL;
         ANALYZE watched"
    );
    stack.postgres().query(DATABASE, &sql).map(drop)
}

/// A session that watches.
struct Watcher(std::process::Child);

impl Watcher {
    fn start(stack: &Stack, workload: &Workload) -> Result<Self> {
        let last = i32::try_from(workload.count)?;
        let end = workload.first + workload.gap * last + PATIENCE;
        let mut psql = stack.postgres().psql(DATABASE);
        psql.args(["-c", &watching(end)]);
        psql.spawn().map(Self).context("cannot run psql")
    }

    fn wait(mut self) -> Result<()> {
        let status = self.0.wait().context("cannot wait for psql")?;
        ensure!(status.success(), "watching has failed ({status})");
        Ok(())
    }
}

/// Every statement sees what has been committed before it.
fn watching(end: DateTime<Utc>) -> String {
    let end = end.to_rfc3339();
    format!(
        "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off;
         DO $$
         DECLARE
             remaining BIGINT := (SELECT count(*) FROM watched);
             found BIGINT;
         BEGIN
             WHILE remaining > 0 AND clock_timestamp() < '{end}' LOOP
                 UPDATE watched SET seen_at = clock_timestamp()
                 WHERE seen_at IS NULL AND scheduled_at <= clock_timestamp()
                   AND EXISTS (
                       SELECT FROM checks
                       WHERE checks.site_id = watched.site_id
                         AND checks.scheduled_at = watched.scheduled_at
                   );
                 GET DIAGNOSTICS found = ROW_COUNT;
                 remaining := remaining - found;
                 PERFORM pg_sleep(0.001);
             END LOOP;
         END $$"
    )
}

/// Sends each event when it is due, or at once when that has passed.
fn send_on_time(stack: &Stack, workload: &Workload) -> Result<()> {
    let mut feeder = Feeder::new(stack, TOPIC)?;
    for event in workload.events() {
        wait_until(event.scheduled_at, &stack.control)?;
        feeder.send(&event)?;
    }
    feeder.finish()
}

pub(super) fn wait_until(due: DateTime<Utc>, control: &Control) -> Result<()> {
    control.check()?;
    // Negative when it has passed.
    let left = (due - Utc::now()).to_std().unwrap_or(Duration::ZERO);
    std::thread::sleep(left);
    Ok(())
}

fn read(stack: &Stack, events: u32) -> Result<Latency> {
    let sql = "SELECT count(*) FILTER (WHERE seen_at IS NULL),
                      percentile_cont(0.5) WITHIN GROUP (ORDER BY waited),
                      percentile_cont(0.99) WITHIN GROUP (ORDER BY waited),
                      max(waited)
               FROM watched, LATERAL (
                   SELECT 1000 * extract(EPOCH FROM seen_at - scheduled_at)::FLOAT8 AS waited
               ) AS row";
    let text = stack.postgres().query(DATABASE, sql)?;
    let numbers = text.split('|').map(str::parse::<f64>);
    let numbers: Vec<f64> = numbers
        .collect::<Result<_, _>>()
        .with_context(|| format!("cannot understand {text:?}"))?;
    let [unseen, p50_ms, p99_ms, max_ms] = numbers[..] else {
        anyhow::bail!("cannot understand {text:?}");
    };
    ensure!(unseen < 0.5, "{unseen} rows never appeared");
    Ok(Latency {
        events,
        p50_ms,
        p99_ms,
        max_ms,
        sink_micros: 0.0,
    })
}

//! What is asked about: months of checks of a fleet, as the sink leaves them behind. The checks of the
//! last days are there, and rolled up by the sink; of the days before there are only rollups, copied from
//! these.

use std::time::Duration;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Datelike as _, DurationRound as _, NaiveDate, TimeDelta, Utc};
use serde::Serialize;

use crate::console;
use crate::rollups::{SETTLING, wait_until};
use crate::sink::{Route, Sink};
use crate::stack::Stack;

/// Whole days of which there are checks, besides the running one.
const WITH_CHECKS: u32 = 2;
const TOPIC: &str = "bench.metrics";
const ROLLUP_LIMIT: Duration = Duration::from_mins(10);

/// Which checks there are.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Extent {
    pub(crate) sites: u32,
    pub(crate) days: u32,
    /// The instant up to which they go, and of which all questions are asked.
    pub(crate) end: DateTime<Utc>,
}

/// How large a table is, with its partitions and indexes.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

impl Extent {
    pub(crate) fn up_to_now(sites: u32, days: u32) -> Self {
        let now = Utc::now();
        let end = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now);
        Self { sites, days, end }
    }

    fn first_day_with_checks(&self) -> NaiveDate {
        (self.end - TimeDelta::days(WITH_CHECKS.into())).date_naive()
    }
}

/// Fills a new database of this name, and says how large it has become.
pub(crate) fn fill(stack: &Stack, database: &str, extent: &Extent) -> Result<Vec<Table>> {
    stack.database(database)?;
    let run = |sql: &str| stack.postgres().query(database, sql).map(drop);
    run(&sites(extent))?;
    let days = extent.first_day_with_checks().iter_days();
    for day in days.take_while(|day| *day <= extent.end.date_naive()) {
        run(&checks(extent, day))?;
        stack.control.check()?;
        console::say(&format!("  checks of {day}"));
    }
    run(&states(extent))?;
    run("VACUUM ANALYZE")?;
    roll_up(stack, database, extent)?;
    console::say("  the rollups of these days");
    run(&history(extent))?;
    stack.control.check()?;
    run("VACUUM ANALYZE")?;
    run("CHECKPOINT")?;
    console::say("  the rollups of the days before");
    let tables = ["check_results", "rollup_hours", "rollup_days", "site_state"];
    let sizes = tables.into_iter().map(|name| size(stack, database, name));
    sizes.collect()
}

/// By a sink that finds nothing else to do.
fn roll_up(stack: &Stack, database: &str, extent: &Extent) -> Result<()> {
    stack.create_topic(TOPIC)?;
    let topic = TOPIC;
    let sink = Sink::start(stack, Route { topic, database })?;
    let last = extent.end - SETTLING;
    let done = format!(
        "hours_closed_to >= date_trunc('hour', '{last}'::TIMESTAMPTZ, 'UTC')
             AND days_closed_to >= ('{last}'::TIMESTAMPTZ AT TIME ZONE 'UTC')::DATE",
        last = last.to_rfc3339(),
    );
    wait_until(stack, database, &done, ROLLUP_LIMIT)?;
    sink.stop()
}

fn sites(Extent { sites, .. }: &Extent) -> String {
    format!(
        "INSERT INTO regions (name) VALUES ('eu-north-1');
         INSERT INTO checkers (name) VALUES ('checker-1');
         INSERT INTO sites (
             name, url, method, headers, interval, timeout, expect_status, expect_headers,
             expect_json, redirects, ip_family, http_version, tls_verify, cert_expiry_warning,
             body_limit, retries, regions, enabled, tags
         )
         SELECT
             'site-' || site, 'https://site-' || site || '.example.com/health', 'GET', '{{}}',
             '1 minute', '10 seconds', '200', '{{}}', '{{}}', 0, 'any', 'auto', TRUE, '14 days',
             1048576, 0, '{{}}', TRUE, '{{}}'
         FROM generate_series(1, {sites}) AS site"
    )
}

/// Minute by minute, all sites in each, as they arrive. One in a hundred is down; how long the others
/// take is distributed as it usually is, around what each site takes. The minute is asked for where luck is drawn:
/// without that it may be drawn once for each site, and be the same all day.
fn checks(Extent { sites, end, .. }: &Extent, day: NaiveDate) -> String {
    let seed = f64::from(day.day()) / 100.0;
    format!(
        "SELECT setseed({seed}), create_check_results_partition('{day}');
         CREATE FUNCTION pg_temp.log_normal(median DOUBLE PRECISION) RETURNS INTEGER LANGUAGE sql AS
         $$ SELECT (median * exp(0.4 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())))::INTEGER $$;
         INSERT INTO check_results (
             site_id, scheduled_at, checker_id, outcome, content, region_id, attempts,
             started_after_ms, dns_us, connect_us, tls_us, first_byte_us, transfer_us, total_us,
             failure_kind, failure_phase, status_code, suspect
         )
         SELECT
             site, minute + site % 60 * INTERVAL '1 second', 1,
             CASE WHEN fails THEN 'down' ELSE 'up' END::outcome, 'matched', 1, 1, 2,
             dns, connect, tls, first_byte, transfer, dns + connect + tls + first_byte + transfer,
             CASE WHEN fails THEN 'unexpected_status'::failure_kind END,
             CASE WHEN fails THEN 'assertion'::check_phase END,
             CASE WHEN fails THEN 503 ELSE 200 END, FALSE
         FROM generate_series(
             '{day}T00:00:00Z'::TIMESTAMPTZ,
             least('{day}T23:59:00Z'::TIMESTAMPTZ, '{end}'::TIMESTAMPTZ - INTERVAL '1 minute'),
             INTERVAL '1 minute'
         ) AS minute
         CROSS JOIN generate_series(1, {sites}) AS site
         CROSS JOIN LATERAL (SELECT
             random() < 0.01 AS fails,
             pg_temp.log_normal(500 + site) AS dns,
             pg_temp.log_normal(4000 + site * 37 % 60000) AS connect,
             pg_temp.log_normal(6000 + site * 53 % 90000) AS tls,
             pg_temp.log_normal(20000 + site * 71 % 150000) AS first_byte,
             pg_temp.log_normal(900 + site) AS transfer
             WHERE minute IS NOT NULL
         ) AS luck",
        end = end.to_rfc3339(),
    )
}

/// How each site was when it was checked last.
fn states(Extent { end, .. }: &Extent) -> String {
    format!(
        "INSERT INTO site_state (
             site_id, region_id, scheduled_at, outcome, failure_kind, failure_phase, status_code,
             total_us, last_verdict, last_verdict_at, since
         )
         SELECT
             site_id, region_id, scheduled_at, outcome, failure_kind, failure_phase, status_code,
             total_us, outcome, scheduled_at, scheduled_at
         FROM check_results
         WHERE scheduled_at >= '{end}'::TIMESTAMPTZ - INTERVAL '1 minute'",
        end = end.to_rfc3339(),
    )
}

/// The days before are like those that are there, one after the other; their checks are gone.
fn history(extent: &Extent) -> String {
    let first = extent.first_day_with_checks();
    let before = extent.days - WITH_CHECKS;
    format!(
        "DO $$
         DECLARE
             hours TEXT := (
                 SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
                 WHERE attrelid = 'rollup_hours'::REGCLASS AND attnum > 0 AND attname <> 'hour'
             );
             days TEXT := (
                 SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
                 WHERE attrelid = 'rollup_days'::REGCLASS AND attnum > 0 AND attname <> 'day'
             );
             source DATE;
         BEGIN
             FOR past IN REVERSE {before} .. 1 LOOP
                 source := DATE '{first}' + past % {WITH_CHECKS};
                 EXECUTE format(
                     'INSERT INTO rollup_hours (hour, %1$s)
                     SELECT hour - make_interval(days => $1), %1$s FROM rollup_hours
                     WHERE hour >= $2::TIMESTAMP AT TIME ZONE ''UTC''
                         AND hour < ($2 + 1)::TIMESTAMP AT TIME ZONE ''UTC''
                     ORDER BY hour, site_id',
                     hours
                 ) USING past + past % {WITH_CHECKS}, source;
                 EXECUTE format(
                     'INSERT INTO rollup_days (day, %1$s)
                     SELECT day - $1, %1$s FROM rollup_days WHERE day = $2 ORDER BY site_id',
                     days
                 ) USING past + past % {WITH_CHECKS}, source;
             END LOOP;
             UPDATE rollup_progress SET raw_from = '{first}';
         END
         $$"
    )
}

fn size(stack: &Stack, database: &str, name: &'static str) -> Result<Table> {
    let ask = |sql: &str| {
        let text = stack.postgres().query(database, sql)?;
        let number = text.parse::<u64>();
        number.with_context(|| format!("cannot understand {text:?}"))
    };
    Ok(Table {
        name,
        rows: ask(&format!("SELECT count(*) FROM {name}"))?,
        bytes: ask(&format!(
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class
             WHERE oid = '{name}'::REGCLASS
                OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = '{name}'::REGCLASS)"
        ))?,
    })
}

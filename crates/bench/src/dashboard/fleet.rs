//! What is looked at: sites in two regions, most of them up, as the sink leaves them behind. The checks of
//! the last hour that is over and of the running one are there; of the day before there are rollups, which
//! are copies of that hour's.

use std::time::Duration;

use anyhow::Result;
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use monitor_core::SiteId;

use crate::console;
use crate::rollups::{SETTLING, wait_until};
use crate::sink::{Route, Sink};
use crate::stack::Stack;

pub(super) const REGIONS: [&str; 2] = ["eu-north-1", "us-east-1"];
/// Hours of which there are rollups: the window, and the one that it begins in.
const HOURS: u32 = 25;
/// Since when nothing is heard of sites that are stale, or disabled.
const SILENT: TimeDelta = TimeDelta::minutes(15);
const ROLLUP_LIMIT: Duration = Duration::from_mins(5);

/// How many sites there are, and up to when they have been checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fleet {
    pub(super) sites: u32,
    pub(super) end: DateTime<Utc>,
}

/// How a site is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Up,
    Degraded,
    Down,
    /// Stale or disabled.
    Silent,
}

impl State {
    /// The same as in SQL: of a hundred sites one is down, two are degraded, one is stale, one disabled;
    /// and so are some of the first ten.
    pub(super) fn of(SiteId(site): SiteId) -> Self {
        match site % 100 {
            3 => Self::Down,
            5 | 55 => Self::Degraded,
            7 | 9 => Self::Silent,
            _ => Self::Up,
        }
    }
}

impl Fleet {
    pub(super) fn up_to_now(sites: u32) -> Self {
        let now = Utc::now();
        let end = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now);
        Self { sites, end }
    }

    pub(super) fn ids(self) -> impl Iterator<Item = SiteId> {
        (1..=i64::from(self.sites)).map(SiteId)
    }

    /// The second of each minute in which a site is checked: a sixth of all in ten.
    pub(super) fn second_of(self, SiteId(site): SiteId) -> i64 {
        site * 60 / i64::from(self.sites) % 60
    }

    /// When the last hour ended that can be closed.
    fn closed(self) -> DateTime<Utc> {
        let settled = self.end - SETTLING;
        settled
            .duration_trunc(TimeDelta::hours(1))
            .unwrap_or(settled)
    }
}

/// Days left of a site's certificate.
pub(super) fn days_left(SiteId(site): SiteId) -> i64 {
    match State::of(SiteId(site)) {
        State::Degraded => 5,
        _ => 20 + site * 37 % 70,
    }
}

/// Fills a new database of this name. A sink can close the hour that is over.
pub(super) fn fill(stack: &Stack, database: &str, fleet: &Fleet) -> Result<()> {
    stack.database(database)?;
    let run = |sql: &str| stack.postgres().query(database, sql).map(drop);
    run(&sites(fleet))?;
    run(&checks(fleet))?;
    console::say("  checks");
    stack.control.check()?;
    run(&states(fleet))?;
    let first = fleet.closed() - TimeDelta::hours(1);
    run(&format!(
        "UPDATE rollup_progress SET hours_closed_to = '{}'",
        first.to_rfc3339()
    ))?;
    run("VACUUM ANALYZE")
}

/// Has the hour closed that is over, adds those before, and has the day before closed. The sink goes on.
pub(super) fn roll_up(stack: &Stack, route: Route<'_>, fleet: &Fleet) -> Result<Sink> {
    let Route { database, .. } = route;
    let closed = fleet.closed();
    let sink = Sink::start(stack, route)?;
    let hour = format!("hours_closed_to >= '{}'", closed.to_rfc3339());
    wait_until(stack, database, &hour, ROLLUP_LIMIT)?;
    // It looks for what to roll up when it starts, and then not for a while.
    sink.stop()?;
    console::say("  the rollups of an hour");
    let run = |sql: &str| stack.postgres().query(database, sql).map(drop);
    run(&history(fleet))?;
    let sink = Sink::start(stack, route)?;
    let day = format!("days_closed_to >= '{}'", closed.date_naive());
    wait_until(stack, database, &day, ROLLUP_LIMIT)?;
    run("VACUUM ANALYZE")?;
    console::say("  the rollups of the day before");
    Ok(sink)
}

fn sites(Fleet { sites, .. }: &Fleet) -> String {
    let [here, there] = REGIONS;
    format!(
        "INSERT INTO regions (name) VALUES ('{here}'), ('{there}');
         INSERT INTO checkers (name) VALUES ('checker-1'), ('checker-2');
         INSERT INTO sites (
             name, url, method, headers, interval, timeout, expect_status, expect_headers,
             expect_json, redirects, ip_family, http_version, tls_verify, cert_expiry_warning,
             body_limit, retries, regions, enabled, tags
         )
         SELECT
             'service-' || site, 'https://service-' || site || '.example.com/health', 'GET', '{{}}',
             '1 minute', '10 seconds', '200', '{{}}', '{{}}', 0, 'any', 'auto', TRUE, '14 days',
             1048576, 0, '{{}}', site % 100 <> 9,
             ARRAY['team-' || chr(97 + (site % 12)::INTEGER), CASE WHEN site % 3 = 0 THEN 'staging' ELSE 'prod' END]
         FROM generate_series(1, {sites}) AS site"
    )
}

/// Minute by minute, all sites in both regions, as they arrive; besides those that are down, one check in
/// five hundred is.
fn checks(fleet: &Fleet) -> String {
    let (first, end) = (fleet.closed() - TimeDelta::hours(1), fleet.end);
    let silent = fleet.end - SILENT;
    format!(
        "SELECT setseed(0.5), create_check_results_partition(day::DATE)
         FROM generate_series('{first_day}'::DATE, '{last_day}'::DATE, INTERVAL '1 day') AS day;
         INSERT INTO check_results (
             site_id, scheduled_at, checker_id, outcome, content, region_id, attempts,
             started_after_ms, dns_us, connect_us, tls_us, first_byte_us, transfer_us, total_us,
             failure_kind, failure_phase, status_code, suspect, warnings, failure_detail
         )
         SELECT
             site, minute + site * 60 / {sites} % 60 * INTERVAL '1 second', region,
             CASE WHEN fails THEN 'down' WHEN warns THEN 'degraded' ELSE 'up' END::outcome,
             CASE WHEN fails THEN 'not_checked' ELSE 'matched' END::content_match, region, 1, 2,
             took / 20, CASE WHEN NOT fails THEN took / 5 END, CASE WHEN NOT fails THEN took / 4 END,
             CASE WHEN NOT fails THEN took / 2 END, CASE WHEN NOT fails THEN took / 50 END,
             CASE WHEN fails THEN 10000000 ELSE took END,
             CASE WHEN fails THEN 'connect_timeout'::failure_kind END,
             CASE WHEN fails THEN 'connect'::check_phase END,
             CASE WHEN NOT fails THEN 200 END, FALSE,
             CASE WHEN warns AND NOT fails THEN '{{cert_expires_soon}}'::check_warning[] END,
             CASE WHEN fails THEN '203.0.113.' || site % 250 || ':443 did not answer within 10 s' END
         FROM generate_series(
             '{first}'::TIMESTAMPTZ, '{end}'::TIMESTAMPTZ - INTERVAL '1 minute', INTERVAL '1 minute'
         ) AS minute
         CROSS JOIN generate_series(1, {sites}) AS site
         CROSS JOIN generate_series(1, 2) AS region
         CROSS JOIN LATERAL (SELECT
             site % 100 = 3 OR random() < 0.002 AS fails,
             site % 100 IN (5, 55) AS warns,
             ((30000 + site * 7919 % 400000) * (0.7 + 0.6 * random() + random() ^ 20))::INTEGER AS took
             WHERE minute IS NOT NULL
         ) AS luck
         WHERE site % 100 NOT IN (7, 9) OR minute < '{silent}'::TIMESTAMPTZ",
        sites = fleet.sites,
        first = first.to_rfc3339(),
        end = end.to_rfc3339(),
        silent = silent.to_rfc3339(),
        first_day = first.date_naive(),
        last_day = end.date_naive(),
    )
}

/// How each site was when it was checked last. Who is down has been so for up to a day.
fn states(fleet: &Fleet) -> String {
    format!(
        "INSERT INTO site_state (
             site_id, region_id, scheduled_at, outcome, failure_kind, failure_phase, failure_detail,
             status_code, total_us, last_verdict, last_verdict_at, since, cert_not_after, cert_seen_at
         )
         SELECT
             site_id, region_id, scheduled_at, outcome, failure_kind, failure_phase, failure_detail,
             status_code, total_us, outcome, scheduled_at,
             scheduled_at - site_id * 7919 % 86400 * INTERVAL '1 second',
             date_trunc('day', scheduled_at, 'UTC') + INTERVAL '1 day' * CASE
                 WHEN site_id % 100 IN (5, 55) THEN 5 ELSE 20 + site_id * 37 % 70
             END,
             scheduled_at
         FROM check_results
         WHERE scheduled_at >= INTERVAL '-1 minute' + CASE
             WHEN site_id % 100 IN (7, 9) THEN '{silent}' ELSE '{end}'
         END::TIMESTAMPTZ",
        end = fleet.end.to_rfc3339(),
        silent = (fleet.end - SILENT).to_rfc3339(),
    )
}

/// The hours before are like the one that is there. The sink has the days still to close.
fn history(fleet: &Fleet) -> String {
    let template = fleet.closed() - TimeDelta::hours(1);
    let first = template - TimeDelta::hours(HOURS.into());
    format!(
        "DO $$
         DECLARE
             columns TEXT := (
                 SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
                 WHERE attrelid = 'rollup_hours'::REGCLASS AND attnum > 0 AND attname <> 'hour'
             );
         BEGIN
             EXECUTE format(
                 'INSERT INTO rollup_hours (hour, %1$s)
                 SELECT hour - make_interval(hours => past), %1$s
                 FROM generate_series(1, {HOURS}) AS past CROSS JOIN rollup_hours
                 WHERE hour = $1
                 ORDER BY past DESC, site_id',
                 columns
             ) USING '{template}'::TIMESTAMPTZ;
             UPDATE rollup_progress SET raw_from = '{raw}', days_closed_to = '{first}';
         END
         $$",
        template = template.to_rfc3339(),
        raw = template.date_naive(),
        first = first.date_naive(),
    )
}

//! What it costs to close an hour, in CPU time per check, of this program and of the database.
//!
//! `DATABASE_URL` names an empty database on this machine. The argument is how many sites, each
//! checked once a minute; three hours are closed, one after the other, and then their day.
#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "it prints a few numbers for people"
)]

use std::fs;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use monitor_store::{migrate, rollups};
use sqlx::{Connection as _, PgConnection};
use tokio::time::Instant;

const HOURS: i32 = 3;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var_os("DATABASE_URL").context("DATABASE_URL names no database")?;
    let url = url.into_string().ok().context("DATABASE_URL is not text")?;
    let sites = std::env::args().nth(1).map_or(Ok(1_000), |n| n.parse())?;
    let mut connection = PgConnection::connect(&url).await?;
    migrate(&mut connection).await?;
    fill(&mut connection, sites).await?;
    let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut connection)
        .await?;
    let begin: DateTime<Utc> = "2026-01-05T00:00:00Z".parse()?;
    println!("{sites} sites, one check a minute");
    let mut checks = 0.0;
    for hour in 1..=HOURS {
        let now = begin + TimeDelta::hours(hour.into()) + rollups::SETTLING;
        let before = Meter::now(backend)?;
        let count = rollups::close_hours(&mut connection, now, 1).await?;
        checks += count.checks as f64;
        let used = before.used_for(count.checks as f64)?;
        println!("hour {hour}, {} checks: {used}", count.checks);
    }
    let now = begin + TimeDelta::days(1) + rollups::SETTLING;
    let before = Meter::now(backend)?;
    rollups::close_hours(&mut connection, now, 24).await?;
    println!("hours without checks: {}", before.used_for(checks)?);
    let before = Meter::now(backend)?;
    rollups::close_days(&mut connection, 1).await?;
    println!("the day: {}", before.used_for(checks)?);
    let bytes: i64 = sqlx::query_scalar(
        "SELECT pg_total_relation_size('rollup_hours') / (SELECT count(*) FROM rollup_hours)",
    )
    .fetch_one(&mut connection)
    .await?;
    println!("{bytes} bytes a row of rollup_hours, with its indexes");
    Ok(())
}

/// A look at the clock, and at the CPU time of this program and of the backend that serves it.
struct Meter {
    at: Instant,
    backend: String,
    ns: [u64; 2],
}

impl Meter {
    fn now(backend: i32) -> anyhow::Result<Self> {
        let backend = backend.to_string();
        Ok(Self {
            at: Instant::now(),
            ns: [cpu_ns("self")?, cpu_ns(&backend)?],
            backend,
        })
    }

    /// What was used since then, for each of so many checks.
    fn used_for(&self, checks: f64) -> anyhow::Result<String> {
        let passed = self.at.elapsed().as_secs_f64() * 1e3;
        let since = |now: u64, before: u64| (now - before) as f64 / 1e3 / checks;
        let own = since(cpu_ns("self")?, self.ns[0]);
        let database = since(cpu_ns(&self.backend)?, self.ns[1]);
        Ok(format!(
            "{own:.3} us of this program and {database:.3} us of PostgreSQL a check, {passed:.0} ms"
        ))
    }
}

/// CPU time of a process on this machine, of its first thread.
fn cpu_ns(process: &str) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/schedstat");
    let text = fs::read_to_string(&path).context(path)?;
    let first = text.split_whitespace().next().context("it is empty")?;
    Ok(first.parse()?)
}

/// Checks as they arrive: minute by minute, all sites in each.
async fn fill(connection: &mut PgConnection, sites: i32) -> anyhow::Result<()> {
    sqlx::raw_sql(
        "SELECT create_check_results_partition('2026-01-05');
        INSERT INTO regions (name) VALUES ('eu');
        INSERT INTO checkers (name) VALUES ('checker-1');",
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO check_results (
            site_id, scheduled_at, checker_id, outcome, content, region_id, attempts,
            started_after_ms, dns_us, connect_us, tls_us, first_byte_us, transfer_us, total_us,
            failure_kind, failure_phase, status_code, suspect
        )
        SELECT
            site, '2026-01-05T00:00:00Z'::TIMESTAMPTZ + minute * INTERVAL '1 minute',
            1, CASE WHEN fails THEN 'down' ELSE 'up' END::outcome, 'matched', 1, 1, 3,
            500 * exp(random()), 8000 * exp(random()), 20000 * exp(random()),
            50000 * exp(random()), 1000 * exp(random()), 80000 * exp(random()),
            CASE WHEN fails THEN 'unexpected_status'::failure_kind END,
            CASE WHEN fails THEN 'assertion'::check_phase END,
            CASE WHEN fails THEN 503 ELSE 200 END, FALSE
        FROM generate_series(0, 60 * $1 - 1) AS minute
        CROSS JOIN generate_series(1, $2) AS site
        CROSS JOIN LATERAL (SELECT random() < 0.01 + 0 * site AS fails) AS luck",
    )
    .bind(HOURS)
    .bind(sites)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO site_state (site_id, region_id, scheduled_at, outcome)
        SELECT site, 1, '2026-01-05T02:59:00Z', 'up' FROM generate_series(1, $1) AS site",
    )
    .bind(sites)
    .execute(&mut *connection)
    .await?;
    sqlx::raw_sql("ANALYZE check_results; ANALYZE site_state")
        .execute(connection)
        .await?;
    Ok(())
}

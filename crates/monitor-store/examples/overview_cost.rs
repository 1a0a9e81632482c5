//! What it takes to tell how a fleet is, and when it was down, beside plain SQL over the checks.
//!
//! `DATABASE_URL` names an empty database. The arguments are how many sites, each checked once a minute
//! for a day, and how many minutes of the running hour have passed. Times are the medians of a few
//! rounds, after one that warms up.
#![expect(clippy::print_stdout, reason = "it prints a few numbers for people")]

use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::SiteId;
use monitor_core::metric::{OutageRequest, OverviewWindow, Sites, Subject, TimeRange};
use monitor_store::{MetricDataProvider, Pool, migrate, rollups};
use tokio::time::Instant;

const ROUNDS: usize = 9;

/// States and uptime, as one would ask without rollups.
const STATES_AND_UPTIME: &str = "SELECT site_id, uptime,
        (SELECT outcome FROM check_results AS latest
        WHERE latest.site_id = counted.site_id AND region_id = 1
        ORDER BY scheduled_at DESC LIMIT 1)::TEXT
    FROM (
        SELECT site_id, uptime(count(*) FILTER (WHERE outcome = 'up'),
            count(*) FILTER (WHERE outcome = 'degraded'),
            count(*) FILTER (WHERE outcome = 'down')) AS uptime
        FROM check_results WHERE scheduled_at >= $1 AND scheduled_at < $2 GROUP BY site_id
    ) AS counted";

const PERCENTILES: &str = "SELECT site_id, percentile_disc(0.95) WITHIN GROUP (ORDER BY total_us)
    FROM check_results
    WHERE scheduled_at >= $1 AND scheduled_at < $2 AND outcome IN ('up', 'degraded')
    GROUP BY site_id";

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var_os("DATABASE_URL").context("DATABASE_URL names no database")?;
    let url = url.into_string().ok().context("DATABASE_URL is not text")?;
    let number = |index: usize, default: i32| {
        std::env::args()
            .nth(index)
            .map_or(Ok(default), |n| n.parse())
    };
    let (sites, minutes) = (number(1, 1_000)?, number(2, 30)?);
    let pool = Pool::connect(&url).await?;
    let begin: DateTime<Utc> = "2026-01-05T00:00:00Z".parse()?;
    let now = begin + TimeDelta::hours(24) + TimeDelta::minutes(minutes.into());
    migrate(&mut *pool.acquire().await?).await?;
    fill(&pool, sites, minutes).await?;
    let mut connection = pool.acquire().await?;
    rollups::close_hours(&mut connection, now, 48).await?;
    drop(connection);
    sqlx::raw_sql("VACUUM ANALYZE").execute(&pool).await?;
    println!("{sites} sites, one check a minute, {minutes} minutes past the hour");

    overview(&pool, now).await?;
    let provider = MetricDataProvider::new(pool.clone());
    outages(&provider, begin, now).await?;
    for (what, sql) in [
        ("states and uptime", STATES_AND_UPTIME),
        ("p95 of each site", PERCENTILES),
    ] {
        let took = median(async || {
            let query = sqlx::query(sql).bind(begin).bind(now);
            query.fetch_all(&pool).await?;
            Ok(())
        });
        println!("plain SQL, {what}: {:?}", took.await?);
    }
    Ok(())
}

async fn overview(pool: &Pool, now: DateTime<Utc>) -> anyhow::Result<()> {
    let window = OverviewWindow::hours(24)?;
    let cold = median(async || {
        let provider = MetricDataProvider::new(pool.clone());
        provider.overview(window, now).await?;
        Ok(())
    });
    println!("overview, nothing kept: {:?}", cold.await?);
    // Every so manieth site has new checks, as told by its state.
    for (what, part) in [("all", 1), ("a sixth", 6), ("none", i64::MAX)] {
        let provider = MetricDataProvider::new(pool.clone());
        let mut times = Vec::new();
        for _ in 0..=ROUNDS {
            let touch = "UPDATE site_state SET outcome = outcome WHERE site_id % $1 = 0";
            sqlx::query(touch).bind(part).execute(pool).await?;
            let started = Instant::now();
            provider.overview(window, now).await?;
            times.push(started.elapsed());
        }
        let took = middle(times.split_off(1));
        println!("overview, new checks of {what} of the sites: {took:?}");
    }
    Ok(())
}

async fn outages(
    provider: &MetricDataProvider,
    begin: DateTime<Utc>,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let range = TimeRange::new(begin, now)?;
    for (what, subject, limit) in [
        ("a page of 100, all sites", Sites::All, 100),
        ("a page of 1000, all sites", Sites::All, 1_000),
        ("of a site", Sites::One(SiteId(7)), 100),
    ] {
        let (subject, request) = (Subject::of(subject), OutageRequest::first(limit));
        let took = median(async || {
            provider.outages(&subject, range, &request).await?;
            Ok(())
        });
        println!("outages, {what}: {:?}", took.await?);
    }
    Ok(())
}

/// The median time of a few rounds, after one that warms up.
async fn median(mut round: impl AsyncFnMut() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    round().await?;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        round().await?;
        times.push(started.elapsed());
    }
    Ok(middle(times))
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Checks as they arrive: minute by minute, all sites in each; one in a hundred is down.
async fn fill(pool: &Pool, sites: i32, minutes: i32) -> anyhow::Result<()> {
    sqlx::raw_sql(
        "SELECT create_check_results_partition('2026-01-05'),
            create_check_results_partition('2026-01-06');
        INSERT INTO regions (name) VALUES ('eu');
        INSERT INTO checkers (name) VALUES ('checker-1');",
    )
    .execute(pool)
    .await?;
    sqlx::query(
        "INSERT INTO sites (
            name, url, method, headers, interval, timeout, expect_status, expect_headers,
            expect_json, redirects, ip_family, http_version, tls_verify, cert_expiry_warning,
            body_limit, retries, regions, enabled, tags
        )
        SELECT
            'site-' || site, 'https://example.com/', 'GET', '{}', '1 minute', '10 seconds', '200',
            '{}', '{}', 0, 'any', '1.1', TRUE, '14 days', 1000, 1, '{}', TRUE, '{}'
        FROM generate_series(1, $1) AS site",
    )
    .bind(sites)
    .execute(pool)
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
        FROM generate_series(0, 24 * 60 + $2 - 1) AS minute
        CROSS JOIN generate_series(1, $1) AS site
        CROSS JOIN LATERAL (SELECT random() < 0.01 + 0 * (site + minute) AS fails) AS luck",
    )
    .bind(sites)
    .bind(minutes)
    .execute(pool)
    .await?;
    sqlx::query(
        "INSERT INTO site_state (
            site_id, region_id, scheduled_at, outcome, last_verdict, last_verdict_at, since
        )
        SELECT site, 1, last, 'up', 'up', last, '2026-01-05T00:00:00Z'
        FROM generate_series(1, $1) AS site
        CROSS JOIN LATERAL (SELECT max(scheduled_at) AS last FROM check_results) AS latest",
    )
    .bind(sites)
    .execute(pool)
    .await?;
    Ok(())
}

//! The same questions as one would ask them without rollups: of the checks, in SQL.

use monitor_core::metric::TimeRange;
use monitor_store::Pool;
use sqlx::FromRow;

const COUNTS_AND_PERCENTILES: &str = "SELECT
        count(*) FILTER (WHERE outcome = 'up') AS up,
        count(*) FILTER (WHERE outcome = 'down') AS down,
        coalesce(
            percentile_disc(ARRAY[0.5, 0.9, 0.95, 0.99]) WITHIN GROUP (ORDER BY total_us)
                FILTER (WHERE outcome IN ('up', 'degraded')),
            '{}'
        ) AS percentiles
    FROM check_results
    WHERE site_id = $1 AND region_id = 1 AND scheduled_at >= $2 AND scheduled_at < $3";

const PAGE: &str = "SELECT
        scheduled_at, started_after_ms, outcome::TEXT, failure_kind::TEXT, failure_phase::TEXT,
        failure_detail, status_code, content::TEXT, dns_us, connect_us, tls_us, first_byte_us,
        transfer_us, total_us, attempts, evidence::TEXT
    FROM check_results
    WHERE site_id = $1 AND region_id = 1 AND scheduled_at >= $2 AND scheduled_at < $3
    ORDER BY scheduled_at DESC
    LIMIT 100";

/// Islands of checks that were down.
const OUTAGES: &str = "SELECT min(scheduled_at), max(scheduled_at)
    FROM (
        SELECT
            scheduled_at, outcome,
            count(*) FILTER (WHERE outcome <> 'down') OVER (ORDER BY scheduled_at) AS island
        FROM check_results
        WHERE site_id = $1 AND region_id = 1 AND scheduled_at >= $2 AND scheduled_at < $3
    ) AS checks
    WHERE outcome = 'down'
    GROUP BY island";

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

const P95_OF_EACH_SITE: &str =
    "SELECT site_id, percentile_disc(0.95) WITHIN GROUP (ORDER BY total_us)
    FROM check_results
    WHERE scheduled_at >= $1 AND scheduled_at < $2 AND outcome IN ('up', 'degraded')
    GROUP BY site_id";

/// What the checks of a site came to, exactly.
#[derive(Debug, FromRow)]
pub(crate) struct Exact {
    pub(crate) up: i64,
    pub(crate) down: i64,
    /// p50, p90, p95 and p99 of the whole check.
    pub(crate) percentiles: Vec<i32>,
}

/// The bare round trip.
pub(crate) async fn nothing(pool: &Pool) -> anyhow::Result<()> {
    sqlx::query("SELECT 1").fetch_one(pool).await?;
    Ok(())
}

pub(crate) async fn summary(pool: &Pool, site: i64, range: TimeRange) -> anyhow::Result<Exact> {
    let query = sqlx::query_as(COUNTS_AND_PERCENTILES);
    let query = query.bind(site).bind(range.from()).bind(range.to());
    Ok(query.fetch_one(pool).await?)
}

pub(crate) async fn page(pool: &Pool, site: i64, range: TimeRange) -> anyhow::Result<()> {
    of_site(pool, PAGE, site, range).await
}

pub(crate) async fn outages(pool: &Pool, site: i64, range: TimeRange) -> anyhow::Result<()> {
    of_site(pool, OUTAGES, site, range).await
}

pub(crate) async fn states_and_uptime(pool: &Pool, range: TimeRange) -> anyhow::Result<()> {
    of_all(pool, STATES_AND_UPTIME, range).await
}

pub(crate) async fn p95_of_each_site(pool: &Pool, range: TimeRange) -> anyhow::Result<()> {
    of_all(pool, P95_OF_EACH_SITE, range).await
}

async fn of_site(
    pool: &Pool,
    sql: &'static str,
    site: i64,
    range: TimeRange,
) -> anyhow::Result<()> {
    let query = sqlx::query(sql).bind(site);
    let query = query.bind(range.from()).bind(range.to());
    query.fetch_all(pool).await?;
    Ok(())
}

async fn of_all(pool: &Pool, sql: &'static str, range: TimeRange) -> anyhow::Result<()> {
    let query = sqlx::query(sql).bind(range.from()).bind(range.to());
    query.fetch_all(pool).await?;
    Ok(())
}

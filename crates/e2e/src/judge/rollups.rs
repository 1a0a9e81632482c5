//! Rollups say what the rows come to.

use anyhow::ensure;
use sqlx::AssertSqlSafe;

use crate::service::Binary;
use crate::world::World;

/// What the rows of each closed hour come to, beside what is told of it.
const DIFFERENCES: &str = "
    WITH expected AS (
        SELECT site_id, region_id, date_trunc('hour', scheduled_at, 'UTC') AS hour,
            count(*) FILTER (WHERE outcome = 'up') AS up,
            count(*) FILTER (WHERE outcome = 'degraded') AS degraded,
            count(*) FILTER (WHERE outcome = 'down') AS down,
            count(*) FILTER (WHERE outcome = 'missed') AS missed,
            count(*) FILTER (WHERE outcome = 'error') AS error,
            count(total_us) FILTER (WHERE outcome IN ('up', 'degraded')) AS total_count,
            coalesce(sum(total_us) FILTER (WHERE outcome IN ('up', 'degraded')), 0) AS total_sum,
            min(total_us) FILTER (WHERE outcome IN ('up', 'degraded')) AS total_min,
            max(total_us) FILTER (WHERE outcome IN ('up', 'degraded')) AS total_max
        FROM check_results
        WHERE scheduled_at < (SELECT hours_closed_to FROM rollup_progress)
        GROUP BY 1, 2, 3
    ), told AS (
        SELECT site_id, region_id, hour, up, degraded, down, missed, error,
            total_count, total_sum_us, total_min_us, total_max_us
        FROM rollup_hours
    )
    SELECT 'rows: ' || (expected)::TEXT FROM (TABLE expected EXCEPT TABLE told) AS expected
    UNION ALL
    SELECT 'rollup: ' || (told)::TEXT FROM (TABLE told EXCEPT TABLE expected) AS told";

/// Brings the rollups up to date, and fails unless they are what plain SQL makes of the rows, and what
/// computing them anew comes to. Returns how many rollups there are of closed hours.
pub async fn rollups_are_right(world: &World) -> anyhow::Result<usize> {
    world.run(Binary::Sink, &["--once"])?.success()?;
    let marks: i64 = sqlx::query_scalar("SELECT count(*) FROM dirty_hours")
        .fetch_one(&world.database)
        .await?;
    ensure!(marks == 0, "{marks} hours are still to be computed again");
    let differences: Vec<String> = sqlx::query_scalar(DIFFERENCES)
        .fetch_all(&world.database)
        .await?;
    ensure!(
        differences.is_empty(),
        "rollups differ from rows: {differences:#?}"
    );
    let before = all(world).await?;
    world.admin(&["rollups", "rebuild"])?.success()?;
    let anew = all(world).await?;
    ensure!(before == anew, "rollups are others when they are made anew");
    Ok(before.len())
}

async fn all(world: &World) -> anyhow::Result<Vec<String>> {
    let mut all = Vec::new();
    for table in ["rollup_hours", "rollup_days"] {
        let query = AssertSqlSafe(format!("SELECT t::TEXT FROM {table} AS t ORDER BY 1"));
        let rows: Vec<String> = sqlx::query_scalar(query).fetch_all(&world.database).await?;
        all.extend(rows);
    }
    Ok(all)
}

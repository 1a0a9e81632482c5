//! What rollups should say, computed by plain SQL from the checks, and what they do say.

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};

/// Name of a rollup, and what it says.
type Said = Vec<(String, Value)>;

const PHASES: [&str; 6] = ["dns", "connect", "tls", "first_byte", "transfer", "total"];

/// Both tables say what the checks come to, of all hours and days that are closed.
pub(crate) async fn assert_right(pool: &PgPool) {
    for (table, bucket) in [("rollup_hours", "hour"), ("rollup_days", "day")] {
        let (said, right) = (said(pool, table, bucket).await, right(pool, bucket).await);
        assert_eq!(said.len(), right.len(), "rows of {table}");
        for (said, right) in said.iter().zip(&right) {
            assert_eq!(said, right, "{table}");
        }
    }
}

/// What the table says. Lists of a value and its count are objects here, so that it is easy to
/// compare.
pub(crate) async fn said(pool: &PgPool, table: &str, bucket: &str) -> Said {
    let phases = PHASES.map(|phase| {
        format!(
            "'{phase}', jsonb_build_object('count', {phase}_count, 'sum', {phase}_sum_us,
                'min', {phase}_min_us, 'max', {phase}_max_us, 'histogram',
                (SELECT coalesce(jsonb_object_agg(bucket, count::TEXT), '{{}}')
                    FROM histogram_entries({phase}_histogram)))"
        )
    });
    let sql = format!(
        "SELECT concat_ws(' ', site_id, region_id, {bucket}), jsonb_build_object(
            'up', up, 'degraded', degraded, 'down', down, 'missed', missed, 'error', error,
            'suspect', suspect, 'matched', content_matched, 'unmatched', content_unmatched,
            'failures', jsonb_object(failure_kinds::TEXT[], failure_counts::TEXT[]),
            'codes', jsonb_object(status_codes::TEXT[], status_counts::TEXT[]),
            {})
        FROM {table}
        ORDER BY site_id, region_id, {bucket}",
        phases.join(", ")
    );
    sqlx::query_as(AssertSqlSafe(sql))
        .fetch_all(pool)
        .await
        .unwrap()
}

/// What it should say, of the closed hours or days.
async fn right(pool: &PgPool, bucket: &str) -> Said {
    let bucket_of = match bucket {
        "hour" => "date_trunc('hour', scheduled_at, 'UTC')",
        _ => "(scheduled_at AT TIME ZONE 'UTC')::DATE",
    };
    let counted = |value: &str| {
        format!(
            "(SELECT coalesce(jsonb_object_agg(value, n::TEXT), '{{}}') FROM (
                SELECT {value}::TEXT AS value, count(*) AS n FROM of_one
                WHERE {value} IS NOT NULL GROUP BY {value}) AS counted)"
        )
    };
    let phases = PHASES.map(|phase| {
        let us = format!("{phase}_us");
        let available = format!("{us} IS NOT NULL AND outcome IN ('up', 'degraded')");
        format!(
            "'{phase}', (SELECT jsonb_build_object('count', count(*), 'sum', coalesce(sum({us}), 0),
                    'min', min({us}), 'max', max({us}), 'histogram', (
                        SELECT coalesce(jsonb_object_agg(number, n::TEXT), '{{}}') FROM (
                            SELECT count(*) AS n, CASE {us} WHEN 0 THEN -1
                                ELSE ceil(ln({us}) / ln(1.05::FLOAT8)) END AS number
                            FROM of_one WHERE {available} GROUP BY number) AS counted))
                FROM of_one WHERE {available})"
        )
    });
    let sql = format!(
        "WITH closed AS MATERIALIZED (
            SELECT *, {bucket_of} AS bucket FROM check_results
            WHERE {bucket_of} < (SELECT {bucket}s_closed_to FROM rollup_progress)
        )
        SELECT concat_ws(' ', site_id, region_id, bucket), said
        FROM (SELECT DISTINCT site_id, region_id, bucket FROM closed) AS key
        CROSS JOIN LATERAL (
            WITH of_one AS (
                SELECT * FROM closed WHERE (closed.site_id, closed.region_id, closed.bucket)
                    = (key.site_id, key.region_id, key.bucket)
            )
            SELECT jsonb_build_object(
                'up', count(*) FILTER (WHERE outcome = 'up'),
                'degraded', count(*) FILTER (WHERE outcome = 'degraded'),
                'down', count(*) FILTER (WHERE outcome = 'down'),
                'missed', count(*) FILTER (WHERE outcome = 'missed'),
                'error', count(*) FILTER (WHERE outcome = 'error'),
                'suspect', count(*) FILTER (WHERE suspect),
                'matched', count(*) FILTER (WHERE content = 'matched'),
                'unmatched', count(*) FILTER (WHERE content = 'unmatched'),
                'failures', {}, 'codes', {}, {}) AS said
            FROM of_one
        ) AS right_
        ORDER BY site_id, region_id, bucket",
        counted("failure_kind"),
        counted("status_code"),
        phases.join(", ")
    );
    sqlx::query_as(AssertSqlSafe(sql))
        .fetch_all(pool)
        .await
        .unwrap()
}

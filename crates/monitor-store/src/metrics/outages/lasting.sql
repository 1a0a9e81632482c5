-- outages.lasting
WITH asked AS MATERIALIZED (
    SELECT
        site_id, region_id, at,
        coalesce(
            (
                SELECT earlier.outcome = 'down' FROM check_results AS earlier
                WHERE earlier.site_id = series.site_id AND earlier.region_id = series.region_id
                    AND earlier.scheduled_at < series.at AND earlier.scheduled_at >= $4
                    AND earlier.outcome IN ('up', 'degraded', 'down')
                ORDER BY earlier.scheduled_at DESC
                LIMIT 1
            ), (
                SELECT earlier.down > 0 FROM rollup_hours AS earlier
                WHERE earlier.site_id = series.site_id AND earlier.region_id = series.region_id
                    AND earlier.hour < least(series.at, $4)
                    AND earlier.up + earlier.degraded + earlier.down > 0
                ORDER BY earlier.hour DESC
                LIMIT 1
            ),
            FALSE
        ) AS is_down
    FROM unnest($1::BIGINT[], $2::SMALLINT[], $3::TIMESTAMPTZ[]) AS series (site_id, region_id, at)
), down AS MATERIALIZED (
    SELECT
        site_id, region_id, at,
        coalesce(
            (
                SELECT earlier.scheduled_at FROM check_results AS earlier
                WHERE earlier.site_id = asked.site_id AND earlier.region_id = asked.region_id
                    AND earlier.scheduled_at < asked.at AND earlier.scheduled_at >= $4
                    AND (earlier.outcome = 'up' OR earlier.outcome = 'degraded')
                ORDER BY earlier.scheduled_at DESC
                LIMIT 1
            ), (
                SELECT earlier.hour FROM rollup_hours AS earlier
                WHERE earlier.site_id = asked.site_id AND earlier.region_id = asked.region_id
                    AND earlier.hour < least(asked.at, $4)
                    AND earlier.down = 0 AND earlier.up + earlier.degraded > 0
                ORDER BY earlier.hour DESC
                LIMIT 1
            ),
            '-infinity'
        ) AS available_at
    FROM asked
    WHERE is_down
)
SELECT
    down.site_id AS "site_id!", down.region_id AS "region_id!",
    coalesce(first_hour.hour, first_check.scheduled_at) AS "started_at!",
    coalesce(
        (
            SELECT later.hour FROM rollup_hours AS later
            WHERE later.site_id = down.site_id AND later.region_id = down.region_id
                AND later.hour >= down.at AND later.hour < $4
                AND later.down = 0 AND later.up + later.degraded > 0
            ORDER BY later.hour
            LIMIT 1
        ), (
            SELECT later.scheduled_at FROM check_results AS later
            WHERE later.site_id = down.site_id AND later.region_id = down.region_id
                AND later.scheduled_at >= greatest(down.at, $4)
                AND (later.outcome = 'up' OR later.outcome = 'degraded')
            ORDER BY later.scheduled_at
            LIMIT 1
        )
    ) AS ended_at,
    first_check.failure_kind::TEXT, first_check.failure_phase::TEXT,
    first_check.failure_detail AS "failure_detail?", first_check.status_code AS "status_code?",
    first_check.suspect AS "suspect?"
FROM down
LEFT JOIN LATERAL (
    SELECT hours.hour FROM rollup_hours AS hours
    WHERE hours.site_id = down.site_id AND hours.region_id = down.region_id
        AND hours.hour > down.available_at AND hours.hour < least(down.at, $4)
        AND hours.down > 0
    ORDER BY hours.hour
    LIMIT 1
) AS first_hour ON TRUE
LEFT JOIN LATERAL (
    SELECT
        scheduled_at, failure_kind, failure_phase, failure_detail, status_code, suspect
    FROM check_results AS checks
    WHERE checks.site_id = down.site_id AND checks.region_id = down.region_id
        AND checks.outcome = 'down'
        AND checks.scheduled_at > down.available_at AND checks.scheduled_at < down.at
        AND checks.scheduled_at >= $4
        AND first_hour.hour IS NULL
    ORDER BY checks.scheduled_at
    LIMIT 1
) AS first_check ON TRUE

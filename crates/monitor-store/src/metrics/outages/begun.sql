-- outages.begun
SELECT
    site_id AS "site_id!", region_id AS "region_id!", down.scheduled_at AS started_at,
    (
        SELECT later.scheduled_at FROM check_results AS later
        WHERE later.site_id = down.site_id AND later.region_id = down.region_id
            AND later.scheduled_at > down.scheduled_at
            AND (later.outcome = 'up' OR later.outcome = 'degraded')
        ORDER BY later.scheduled_at
        LIMIT 1
    ) AS ended_at,
    failure_kind::TEXT, failure_phase::TEXT, failure_detail, status_code,
    suspect AS "suspect?"
FROM unnest($1::BIGINT[], $2::SMALLINT[], $3::TIMESTAMPTZ[], $4::TIMESTAMPTZ[])
    AS span (site_id, region_id, "from", "to")
JOIN check_results AS down USING (site_id, region_id)
WHERE down.outcome = 'down'
    AND down.scheduled_at >= span."from" AND down.scheduled_at < span."to"
    AND down.scheduled_at >= $5 AND down.scheduled_at < $6
    AND NOT coalesce(
        (
            SELECT earlier.outcome = 'down' FROM check_results AS earlier
            WHERE earlier.site_id = down.site_id AND earlier.region_id = down.region_id
                AND earlier.scheduled_at < down.scheduled_at
                AND earlier.scheduled_at >= $7
                AND earlier.outcome IN ('up', 'degraded', 'down')
            ORDER BY earlier.scheduled_at DESC
            LIMIT 1
        ), (
            SELECT earlier.down > 0 FROM rollup_hours AS earlier
            WHERE earlier.site_id = down.site_id AND earlier.region_id = down.region_id
                AND earlier.hour < $7
                AND earlier.up + earlier.degraded + earlier.down > 0
            ORDER BY earlier.hour DESC
            LIMIT 1
        ),
        FALSE
    )

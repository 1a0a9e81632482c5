-- outages.begun_hours
SELECT
    site_id AS "site_id!", region_id AS "region_id!", down.hour AS started_at,
    coalesce(
        (
            SELECT later.hour FROM rollup_hours AS later
            WHERE later.site_id = down.site_id AND later.region_id = down.region_id
                AND later.hour > down.hour AND later.hour < $7
                AND later.down = 0 AND later.up + later.degraded > 0
            ORDER BY later.hour
            LIMIT 1
        ), (
            SELECT later.scheduled_at FROM check_results AS later
            WHERE later.site_id = down.site_id AND later.region_id = down.region_id
                AND later.scheduled_at >= $7
                AND (later.outcome = 'up' OR later.outcome = 'degraded')
            ORDER BY later.scheduled_at
            LIMIT 1
        )
    ) AS ended_at,
    NULL AS failure_kind, NULL AS failure_phase, NULL AS failure_detail,
    NULL::SMALLINT AS status_code, NULL::BOOLEAN AS suspect
FROM unnest($1::BIGINT[], $2::SMALLINT[], $3::TIMESTAMPTZ[], $4::TIMESTAMPTZ[])
    AS span (site_id, region_id, "from", "to")
JOIN rollup_hours AS down USING (site_id, region_id)
WHERE down.down > 0
    AND down.hour >= span."from" AND down.hour < span."to"
    AND down.hour >= $5 AND down.hour < $6
    AND NOT coalesce(
        (
            SELECT earlier.down > 0 FROM rollup_hours AS earlier
            WHERE earlier.site_id = down.site_id AND earlier.region_id = down.region_id
                AND earlier.hour < down.hour
                AND earlier.up + earlier.degraded + earlier.down > 0
            ORDER BY earlier.hour DESC
            LIMIT 1
        ),
        FALSE
    )

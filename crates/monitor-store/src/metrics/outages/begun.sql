-- outages.begun
-- From outage to outage, backwards: the last check that was down, the last before it that was available,
-- and the first after that which was down. So an outage of many checks is not looked at check by check.
WITH RECURSIVE walk AS (
    SELECT
        site_id, region_id, greatest("from", $5) AS "from", "to" AS started_at,
        NULL::TIMESTAMPTZ AS available_at, NULL::failure_kind AS failure_kind,
        NULL::check_phase AS failure_phase, NULL::TEXT AS failure_detail,
        NULL::SMALLINT AS status_code, NULL::BOOLEAN AS suspect, TRUE AS is_end
    FROM unnest($1::BIGINT[], $2::SMALLINT[], $3::TIMESTAMPTZ[], $4::TIMESTAMPTZ[])
        AS span (site_id, region_id, "from", "to")
    UNION ALL
    SELECT
        walk.site_id, walk.region_id, walk."from", first.scheduled_at, available.scheduled_at,
        first.failure_kind, first.failure_phase, first.failure_detail, first.status_code,
        first.suspect, FALSE
    FROM walk
    CROSS JOIN LATERAL (
        SELECT down.scheduled_at FROM check_results AS down
        WHERE down.site_id = walk.site_id AND down.region_id = walk.region_id
            AND down.outcome = 'down'
            AND down.scheduled_at >= walk."from" AND down.scheduled_at < walk.started_at
        ORDER BY down.scheduled_at DESC
        LIMIT 1
    ) AS last
    LEFT JOIN LATERAL (
        SELECT earlier.scheduled_at FROM check_results AS earlier
        WHERE earlier.site_id = walk.site_id AND earlier.region_id = walk.region_id
            AND (earlier.outcome = 'up' OR earlier.outcome = 'degraded')
            AND earlier.scheduled_at >= walk."from" AND earlier.scheduled_at < last.scheduled_at
        ORDER BY earlier.scheduled_at DESC
        LIMIT 1
    ) AS available ON TRUE
    CROSS JOIN LATERAL (
        SELECT scheduled_at, failure_kind, failure_phase, failure_detail, status_code, suspect
        FROM check_results AS down
        WHERE down.site_id = walk.site_id AND down.region_id = walk.region_id
            AND down.outcome = 'down'
            AND down.scheduled_at >= coalesce(available.scheduled_at, walk."from")
            AND down.scheduled_at <= last.scheduled_at
        ORDER BY down.scheduled_at
        LIMIT 1
    ) AS first
)
SELECT
    site_id AS "site_id!", region_id AS "region_id!", started_at AS "started_at!",
    (
        SELECT later.scheduled_at FROM check_results AS later
        WHERE later.site_id = walk.site_id AND later.region_id = walk.region_id
            AND later.scheduled_at > walk.started_at
            AND (later.outcome = 'up' OR later.outcome = 'degraded')
        ORDER BY later.scheduled_at
        LIMIT 1
    ) AS ended_at,
    failure_kind::TEXT, failure_phase::TEXT, failure_detail, status_code, suspect
FROM walk
WHERE NOT is_end
    -- The first of a span may have begun before it.
    AND (
        available_at IS NOT NULL
        OR NOT coalesce(
            (
                SELECT earlier.outcome = 'down' FROM check_results AS earlier
                WHERE earlier.site_id = walk.site_id AND earlier.region_id = walk.region_id
                    AND earlier.scheduled_at < walk.started_at AND earlier.scheduled_at >= $5
                    AND earlier.outcome IN ('up', 'degraded', 'down')
                ORDER BY earlier.scheduled_at DESC
                LIMIT 1
            ), (
                SELECT earlier.down > 0 FROM rollup_hours AS earlier
                WHERE earlier.site_id = walk.site_id AND earlier.region_id = walk.region_id
                    AND earlier.hour < $5
                    AND earlier.up + earlier.degraded + earlier.down > 0
                ORDER BY earlier.hour DESC
                LIMIT 1
            ),
            FALSE
        )
    )

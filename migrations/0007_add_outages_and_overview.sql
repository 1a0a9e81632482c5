-- What people ask of a monitor in SQL: outages, how every site is now, the fleet by the hour. And what
-- an answer that is kept needs to know: whether rollups have changed since.

-- The few checks that outages begin with. Only the index of the table as a whole is made here, which
-- has no rows of its own; days made from now on have theirs from the begin, and those that are there
-- get it from maintenance, one after the other and without holding writers up.
CREATE INDEX check_results_down ON ONLY check_results (site_id, region_id, scheduled_at)
    WHERE outcome = 'down';

-- The first of the rows that say `down` is found by looking back: the subquery reads one row by the
-- key, or few when what came before tells nothing. So does what looks for the end.
CREATE VIEW outages AS
SELECT
    down.site_id,
    sites.name AS site,
    regions.name AS region,
    down.scheduled_at AS started_at,
    available.scheduled_at AS ended_at,
    coalesce(available.scheduled_at, now()) - down.scheduled_at AS duration,
    down.failure_kind,
    down.failure_phase,
    down.failure_detail,
    down.status_code,
    down.suspect
FROM check_results AS down
LEFT JOIN LATERAL (
    SELECT later.scheduled_at
    FROM check_results AS later
    WHERE later.site_id = down.site_id
        AND later.region_id = down.region_id
        AND later.scheduled_at > down.scheduled_at
        AND (later.outcome = 'up' OR later.outcome = 'degraded')
    ORDER BY later.scheduled_at
    LIMIT 1
) AS available ON TRUE
LEFT JOIN sites ON sites.id = down.site_id
LEFT JOIN regions ON regions.id = down.region_id
WHERE down.outcome = 'down'
    AND (
        SELECT earlier.outcome
        FROM check_results AS earlier
        WHERE earlier.site_id = down.site_id
            AND earlier.region_id = down.region_id
            AND earlier.scheduled_at < down.scheduled_at
            AND earlier.outcome IN ('up', 'degraded', 'down')
        ORDER BY earlier.scheduled_at DESC
        LIMIT 1
    ) IS DISTINCT FROM 'down';

COMMENT ON VIEW outages IS 'Each time that a site was down, as seen from a region: from the first check that was down to the first that was available again. Checks that were missed or had an error neither begin nor end one. Goes back as far as checks are kept.';
COMMENT ON COLUMN outages.site IS 'Name of the site; NULL when it is not monitored any more.';
COMMENT ON COLUMN outages.started_at IS 'The slot of the first check that was down. Say from when on, to look at few days only.';
COMMENT ON COLUMN outages.ended_at IS 'The slot of the first check after it that was up or degraded; NULL while there is none.';
COMMENT ON COLUMN outages.duration IS 'From the begin to the end, or up to now while it lasts.';
COMMENT ON COLUMN outages.failure_kind IS 'Of the first check. So for the other failure columns, status_code and suspect.';
COMMENT ON COLUMN outages.suspect IS 'Most sites of its checker had begun to fail at once: its own network is the likelier cause.';

CREATE VIEW site_overview AS
SELECT
    sites.id AS site_id,
    sites.name AS site,
    regexp_replace(sites.url, '[?].*$', '') AS url,
    sites.tags,
    sites.enabled,
    CASE WHEN sites.enabled THEN coalesce(worst.state, 'unknown') ELSE 'disabled' END AS state,
    CASE WHEN worst.state = 'stale' THEN worst.last_verdict_at ELSE worst.since END AS since,
    worst.region,
    worst.scheduled_at,
    worst.outcome,
    worst.failure_kind,
    worst.failure_phase,
    worst.failure_detail,
    worst.status_code,
    worst.total_us
FROM sites
LEFT JOIN LATERAL (
    SELECT
        site_state.scheduled_at, site_state.outcome, site_state.failure_kind,
        site_state.failure_phase, site_state.failure_detail, site_state.status_code,
        site_state.total_us, site_state.since, site_state.last_verdict_at, regions.name AS region,
        seen.state
    FROM site_state
    JOIN regions ON regions.id = site_state.region_id
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN site_state.last_verdict IS NULL THEN 'unknown'
            WHEN site_state.last_verdict_at
                < now() - (3 * sites.interval + sites.timeout + INTERVAL '1 minute') THEN 'stale'
            ELSE site_state.last_verdict::TEXT END AS state
    ) AS seen
    WHERE site_state.site_id = sites.id
        AND (sites.regions = '{}' OR regions.name = ANY (sites.regions))
    ORDER BY
        array_position(ARRAY['down', 'degraded', 'up', 'stale', 'unknown'], seen.state),
        site_state.since, regions.name
    LIMIT 1
) AS worst ON TRUE;

COMMENT ON VIEW site_overview IS 'How each monitored site is now: one row per site, of the region in which it is worst.';
COMMENT ON COLUMN site_overview.url IS 'Without its query, which may hold a secret.';
COMMENT ON COLUMN site_overview.state IS 'down, degraded or up, the worst of the regions that have told lately; stale when none has within three intervals, the timeout and a minute; unknown when there was no verdict yet; disabled when it is not checked.';
COMMENT ON COLUMN site_overview.since IS 'The slot since which it has been available, or unavailable; of a stale one, the slot of its last verdict.';
COMMENT ON COLUMN site_overview.region IS 'The region that the row is of; NULL before the first check. So for all that follows.';
COMMENT ON COLUMN site_overview.scheduled_at IS 'The latest slot that has a result; outcome, failure, status_code and total_us are of this one.';

CREATE VIEW fleet_uptime_hourly AS
SELECT
    hour,
    regions.name AS region,
    count(*) AS sites,
    uptime(sum(up), sum(degraded), sum(down)) AS uptime,
    sum(up + degraded + down)::DOUBLE PRECISION
        / nullif(sum(up + degraded + down + missed + error), 0) AS coverage,
    sum(up) AS up,
    sum(degraded) AS degraded,
    sum(down) AS down,
    sum(missed) AS missed,
    sum(error) AS error
FROM rollup_hours
LEFT JOIN regions ON regions.id = region_id
GROUP BY hour, regions.name;

COMMENT ON VIEW fleet_uptime_hourly IS 'What the checks of all sites came to in each region, by the hour, for the hours that are over.';
COMMENT ON COLUMN fleet_uptime_hourly.sites IS 'How many sites had checks.';
COMMENT ON COLUMN fleet_uptime_hourly.uptime IS 'Share of available checks among those with a verdict; NULL when there were none.';
COMMENT ON COLUMN fleet_uptime_hourly.coverage IS 'Share of checks with a verdict among all that were due.';

-- Who has read rollups can tell by one number whether they still are what they were. Triggers rather
-- than the program count: so do programs of the version before, and people.
ALTER TABLE rollup_progress ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;

COMMENT ON COLUMN rollup_progress.revision IS 'Grows with every change of rollup_hours and rollup_days, in the transaction of the change.';

CREATE FUNCTION bump_rollup_revision() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    UPDATE rollup_progress SET revision = revision + 1;
    RETURN NULL;
END;
$$;

COMMENT ON FUNCTION bump_rollup_revision IS 'Trigger of rollups: counts each statement that has changed something.';

-- Retention looks for what is too old all the time, mostly in vain.
CREATE FUNCTION bump_rollup_revision_if_deleted() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM deleted) THEN
        UPDATE rollup_progress SET revision = revision + 1;
    END IF;
    RETURN NULL;
END;
$$;

COMMENT ON FUNCTION bump_rollup_revision_if_deleted IS 'Trigger of rollups: counts each statement that has deleted something.';

CREATE TRIGGER rollup_hours_changed AFTER INSERT OR UPDATE OR TRUNCATE ON rollup_hours
    FOR EACH STATEMENT EXECUTE FUNCTION bump_rollup_revision();
CREATE TRIGGER rollup_hours_deleted AFTER DELETE ON rollup_hours REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION bump_rollup_revision_if_deleted();
CREATE TRIGGER rollup_days_changed AFTER INSERT OR UPDATE OR TRUNCATE ON rollup_days
    FOR EACH STATEMENT EXECUTE FUNCTION bump_rollup_revision();
CREATE TRIGGER rollup_days_deleted AFTER DELETE ON rollup_days REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION bump_rollup_revision_if_deleted();

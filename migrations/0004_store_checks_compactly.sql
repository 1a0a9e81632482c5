-- Checks as compact rows, and what is kept beside them in the same transaction. The rows of `checks`
-- move and the table goes at once: no version that writes to it was ever released.

-- Names that nearly every row repeats, each stored once.
CREATE TABLE regions (
    id   SMALLINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

CREATE TABLE checkers (
    id   INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

COMMENT ON TABLE regions IS 'The regions that results came from; filled on demand, never changed.';
COMMENT ON TABLE checkers IS 'The checkers that results came from; filled on demand, never changed.';

-- The order of the columns leaves no gaps between them. What is mostly NULL comes last.
CREATE TABLE check_results (
    site_id          BIGINT NOT NULL,
    scheduled_at     TIMESTAMPTZ NOT NULL,
    checker_id       INTEGER NOT NULL,
    outcome          outcome NOT NULL,
    content          content_match NOT NULL,
    region_id        SMALLINT NOT NULL,
    attempts         SMALLINT NOT NULL,
    started_after_ms INTEGER,
    dns_us           INTEGER,
    connect_us       INTEGER,
    tls_us           INTEGER,
    first_byte_us    INTEGER,
    transfer_us      INTEGER,
    total_us         INTEGER,
    failure_kind     failure_kind,
    failure_phase    check_phase,
    status_code      SMALLINT,
    suspect          BOOLEAN NOT NULL,
    warnings         check_warning[],
    failure_detail   TEXT,
    evidence         JSONB,
    PRIMARY KEY (site_id, region_id, scheduled_at)
) PARTITION BY RANGE (scheduled_at);

CREATE INDEX check_results_scheduled_at ON check_results
    USING BRIN (scheduled_at) WITH (pages_per_range = 32, autosummarize = TRUE);

COMMENT ON TABLE check_results IS 'How each slot of each site ended: one row per site, region and instant. The view checks shows it with names.';
COMMENT ON COLUMN check_results.scheduled_at IS 'The slot: when the check was due.';
COMMENT ON COLUMN check_results.checker_id IS 'Which checker did it; its name is in checkers.';
COMMENT ON COLUMN check_results.outcome IS 'up and degraded are available, down is not; missed and error are our own trouble.';
COMMENT ON COLUMN check_results.content IS 'What became of the site''s content rules.';
COMMENT ON COLUMN check_results.region_id IS 'Where it was checked from; its name is in regions.';
COMMENT ON COLUMN check_results.attempts IS 'How often the site was tried for this slot; 0 when it was missed.';
COMMENT ON COLUMN check_results.started_after_ms IS 'When it began, in milliseconds after scheduled_at; NULL when it was missed.';
COMMENT ON COLUMN check_results.dns_us IS 'Microseconds; NULL for a phase that was not reached. So for the other phases.';
COMMENT ON COLUMN check_results.total_us IS 'Microseconds of the whole check, redirects included; the phases are those of the last hop.';
COMMENT ON COLUMN check_results.failure_kind IS 'Why it is down, missed or error; NULL otherwise.';
COMMENT ON COLUMN check_results.failure_phase IS 'Where the check died; NULL when it never began.';
COMMENT ON COLUMN check_results.status_code IS 'Of the last response, also of a failure; NULL when there was none.';
COMMENT ON COLUMN check_results.suspect IS 'Most sites of this checker had begun to fail at once: its own network is the likelier cause.';
COMMENT ON COLUMN check_results.warnings IS 'Why it is degraded; NULL otherwise.';
COMMENT ON COLUMN check_results.failure_detail IS 'The failure in one line for people.';
COMMENT ON COLUMN check_results.evidence IS 'HTTP and TLS facts of a check that was not up.';

-- The partition of one UTC day. Safe to call again, and from several sessions at once. One that was
-- detached and not dropped yet comes back with its rows.
CREATE FUNCTION create_check_results_partition(day DATE) RETURNS VOID LANGUAGE plpgsql
    SET lock_timeout = '5s' AS $$
DECLARE
    partition TEXT := format('check_results_%s', to_char(day, 'YYYYMMDD'));
    first TIMESTAMPTZ := day::TIMESTAMP AT TIME ZONE 'UTC';
    next TIMESTAMPTZ := (day + 1)::TIMESTAMP AT TIME ZONE 'UTC';
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('create_check_results_partition'));
    IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass(partition) AND relispartition) THEN
        RETURN;
    END IF;
    -- Attached rather than created in place: that would lock readers and writers out.
    IF to_regclass(partition) IS NULL THEN
        EXECUTE format('CREATE TABLE %I (LIKE check_results INCLUDING ALL)', partition);
    END IF;
    EXECUTE format('ALTER TABLE check_results ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   partition, first, next);
END;
$$;

COMMENT ON FUNCTION create_check_results_partition IS 'Makes the partition of a UTC day, unless it is there.';

-- What is known of each site in each region. No index holds a column that changes and every page has
-- room to spare, so an update stays on its page and touches no index.
CREATE TABLE site_state (
    site_id          BIGINT NOT NULL,
    scheduled_at     TIMESTAMPTZ NOT NULL,
    last_verdict_at  TIMESTAMPTZ,
    since            TIMESTAMPTZ,
    other_verdict_at TIMESTAMPTZ,
    cert_not_after   TIMESTAMPTZ,
    cert_seen_at     TIMESTAMPTZ,
    outcome          outcome NOT NULL,
    last_verdict     outcome,
    failure_kind     failure_kind,
    failure_phase    check_phase,
    total_us         INTEGER,
    region_id        SMALLINT NOT NULL,
    status_code      SMALLINT,
    failure_detail   TEXT,
    PRIMARY KEY (site_id, region_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

COMMENT ON TABLE site_state IS 'The latest result of each site in each region, written with it. The view current_state shows it with names.';
COMMENT ON COLUMN site_state.scheduled_at IS 'The latest slot that has a result; outcome, failure, status_code and total_us are of this one.';
COMMENT ON COLUMN site_state.last_verdict IS 'The latest outcome that tells something about the site: up, degraded or down; NULL when there was none.';
COMMENT ON COLUMN site_state.last_verdict_at IS 'The slot of last_verdict.';
COMMENT ON COLUMN site_state.since IS 'The slot since which it has been available, or unavailable, without a verdict to the contrary.';
COMMENT ON COLUMN site_state.other_verdict_at IS 'The latest slot with a verdict to the contrary; NULL when there was none.';
COMMENT ON COLUMN site_state.cert_not_after IS 'When the certificate ends that was seen last; NULL when none was.';
COMMENT ON COLUMN site_state.cert_seen_at IS 'The slot in which that certificate was seen.';

-- How far a consumer group has come, written in the transaction of the rows. Only ever used to go
-- back: when a failover loses commits, this row is lost with them, and tells so.
CREATE TABLE sink_progress (
    group_name  TEXT NOT NULL,
    topic       TEXT NOT NULL,
    partition   INTEGER NOT NULL,
    next_offset BIGINT NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (group_name, topic, partition)
) WITH (fillfactor = 50);

COMMENT ON TABLE sink_progress IS 'Per partition of the topic, the offset after the last event that was stored, written with it.';
COMMENT ON COLUMN sink_progress.next_offset IS 'Where to go on reading; everything before it is stored.';

-- A writer holds the marks of its rows until it commits. Whoever takes marks skips those that are
-- held (FOR UPDATE SKIP LOCKED), and reads the rows by a statement after the one that deletes the
-- marks: then it sees all that they stand for, and nobody waits in a circle.
CREATE TABLE dirty_hours (
    site_id   BIGINT NOT NULL,
    hour      TIMESTAMPTZ NOT NULL,
    region_id SMALLINT NOT NULL,
    PRIMARY KEY (site_id, region_id, hour)
) WITH (autovacuum_vacuum_scale_factor = 0.02);

COMMENT ON TABLE dirty_hours IS 'Hours that had ended when a result of them was stored: what was computed of them is to be computed again.';

-- The rows that are there already.
INSERT INTO regions (name) SELECT DISTINCT region FROM checks ORDER BY region;
INSERT INTO checkers (name) SELECT DISTINCT checker FROM checks ORDER BY checker;

SELECT create_check_results_partition(day)
FROM (SELECT DISTINCT (scheduled_at AT TIME ZONE 'UTC')::DATE AS day FROM checks) AS days;

INSERT INTO check_results (
    site_id, scheduled_at, checker_id, outcome, content, region_id, attempts, started_after_ms,
    dns_us, connect_us, tls_us, first_byte_us, transfer_us, total_us, failure_kind, failure_phase,
    status_code, suspect, warnings, failure_detail, evidence
)
SELECT
    site_id, scheduled_at, checkers.id, outcome, content, regions.id, attempts,
    (extract(EPOCH FROM started_at - scheduled_at) * 1000)::INTEGER,
    dns_us, connect_us, tls_us, first_byte_us, transfer_us, total_us, failure_kind, failure_phase,
    status_code, suspect, warnings, failure_detail, evidence
FROM checks
JOIN regions ON regions.name = checks.region
JOIN checkers ON checkers.name = checks.checker
ORDER BY scheduled_at, site_id, regions.id;

INSERT INTO dirty_hours (site_id, region_id, hour)
SELECT DISTINCT site_id, region_id, date_trunc('hour', scheduled_at, 'UTC')
FROM check_results
WHERE date_trunc('hour', scheduled_at, 'UTC') + INTERVAL '1 hour' <= now();

WITH latest AS (
    SELECT DISTINCT ON (site_id, region_id)
        site_id, region_id, scheduled_at, outcome, failure_kind, failure_phase, failure_detail,
        status_code, total_us
    FROM check_results
    ORDER BY site_id, region_id, scheduled_at DESC
), verdicts AS (
    SELECT site_id, region_id, scheduled_at, outcome, outcome = 'down' AS is_down
    FROM check_results
    WHERE outcome IN ('up', 'degraded', 'down')
), last_verdicts AS (
    SELECT DISTINCT ON (site_id, region_id) site_id, region_id, scheduled_at, outcome, is_down
    FROM verdicts
    ORDER BY site_id, region_id, scheduled_at DESC
), others AS (
    SELECT site_id, region_id, max(verdicts.scheduled_at) AS scheduled_at
    FROM verdicts JOIN last_verdicts USING (site_id, region_id)
    WHERE verdicts.is_down <> last_verdicts.is_down
    GROUP BY site_id, region_id
), beginnings AS (
    SELECT site_id, region_id, min(verdicts.scheduled_at) AS scheduled_at
    FROM verdicts LEFT JOIN others USING (site_id, region_id)
    WHERE others.scheduled_at IS NULL OR verdicts.scheduled_at > others.scheduled_at
    GROUP BY site_id, region_id
)
INSERT INTO site_state (
    site_id, region_id, scheduled_at, outcome, failure_kind, failure_phase, failure_detail,
    status_code, total_us, last_verdict, last_verdict_at, since, other_verdict_at
)
SELECT
    site_id, region_id, latest.scheduled_at, latest.outcome, latest.failure_kind,
    latest.failure_phase, latest.failure_detail, latest.status_code, latest.total_us,
    last_verdicts.outcome, last_verdicts.scheduled_at, beginnings.scheduled_at, others.scheduled_at
FROM latest
LEFT JOIN last_verdicts USING (site_id, region_id)
LEFT JOIN beginnings USING (site_id, region_id)
LEFT JOIN others USING (site_id, region_id);

DROP TABLE checks;
DROP FUNCTION create_checks_partition;

-- Outer joins, so that a query that asks for no names does not join.
CREATE VIEW checks AS
SELECT
    site_id,
    scheduled_at,
    scheduled_at + started_after_ms * INTERVAL '1 millisecond' AS started_at,
    outcome,
    failure_kind,
    failure_phase,
    content,
    dns_us,
    connect_us,
    tls_us,
    first_byte_us,
    transfer_us,
    total_us,
    status_code,
    attempts,
    regions.name AS region,
    checkers.name AS checker,
    warnings,
    failure_detail,
    evidence,
    suspect
FROM check_results
LEFT JOIN regions ON regions.id = region_id
LEFT JOIN checkers ON checkers.id = checker_id;

COMMENT ON VIEW checks IS 'How each slot of each site ended: one row per site, region and instant.';
COMMENT ON COLUMN checks.scheduled_at IS 'The slot: when the check was due.';
COMMENT ON COLUMN checks.started_at IS 'When it began; NULL when it was missed.';
COMMENT ON COLUMN checks.outcome IS 'up and degraded are available, down is not; missed and error are our own trouble.';
COMMENT ON COLUMN checks.failure_kind IS 'Why it is down, missed or error; NULL otherwise.';
COMMENT ON COLUMN checks.failure_phase IS 'Where the check died; NULL when it never began.';
COMMENT ON COLUMN checks.failure_detail IS 'The failure in one line for people.';
COMMENT ON COLUMN checks.content IS 'What became of the site''s content rules.';
COMMENT ON COLUMN checks.dns_us IS 'Microseconds; NULL for a phase that was not reached. So for the other phases.';
COMMENT ON COLUMN checks.total_us IS 'Microseconds of the whole check, redirects included; the phases are those of the last hop.';
COMMENT ON COLUMN checks.status_code IS 'Of the last response, also of a failure; NULL when there was none.';
COMMENT ON COLUMN checks.attempts IS 'How often the site was tried for this slot; 0 when it was missed.';
COMMENT ON COLUMN checks.region IS 'Where it was checked from.';
COMMENT ON COLUMN checks.checker IS 'Which checker did it.';
COMMENT ON COLUMN checks.warnings IS 'Why it is degraded; NULL otherwise.';
COMMENT ON COLUMN checks.evidence IS 'HTTP and TLS facts of a check that was not up.';
COMMENT ON COLUMN checks.suspect IS 'Most sites of this checker had begun to fail at once: its own network is the likelier cause.';

CREATE VIEW current_state AS
SELECT
    site_id,
    sites.name AS site,
    regions.name AS region,
    scheduled_at,
    outcome,
    failure_kind,
    failure_phase,
    failure_detail,
    status_code,
    total_us,
    last_verdict,
    last_verdict_at,
    since,
    cert_not_after
FROM site_state
LEFT JOIN sites ON sites.id = site_id
LEFT JOIN regions ON regions.id = region_id;

COMMENT ON VIEW current_state IS 'The latest result of each site in each region.';
COMMENT ON COLUMN current_state.site IS 'Name of the site; NULL when it is not monitored any more.';
COMMENT ON COLUMN current_state.region IS 'Where it was checked from.';
COMMENT ON COLUMN current_state.scheduled_at IS 'The latest slot that has a result; outcome, failure, status_code and total_us are of this one.';
COMMENT ON COLUMN current_state.last_verdict IS 'The latest outcome that tells something about the site: up, degraded or down; NULL when there was none.';
COMMENT ON COLUMN current_state.last_verdict_at IS 'The slot of last_verdict.';
COMMENT ON COLUMN current_state.since IS 'The slot since which it has been available, or unavailable, without a verdict to the contrary.';
COMMENT ON COLUMN current_state.cert_not_after IS 'When the certificate ends that was seen last; NULL when none was.';

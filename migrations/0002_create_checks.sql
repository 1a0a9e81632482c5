-- The closed lists of the event, so that rows are small and misspelt filters are errors.
CREATE TYPE outcome AS ENUM (
    'up',
    'degraded',
    'down',
    'missed',
    'error'
);

CREATE TYPE check_phase AS ENUM (
    'dns',
    'connect',
    'tls',
    'send',
    'first_byte',
    'body',
    'assertion'
);

CREATE TYPE failure_kind AS ENUM (
    'dns_not_found',
    'dns_servfail',
    'dns_timeout',
    'dns_error',
    'connection_refused',
    'connection_reset',
    'host_unreachable',
    'network_unreachable',
    'connect_timeout',
    'address_not_allowed',
    'tls_handshake',
    'tls_timeout',
    'cert_expired',
    'cert_not_yet_valid',
    'cert_hostname_mismatch',
    'cert_untrusted',
    'cert_revoked',
    'cert_invalid',
    'first_byte_timeout',
    'no_response',
    'protocol_error',
    'header_too_large',
    'body_timeout',
    'body_incomplete',
    'body_decode',
    'body_over_limit',
    'redirect_limit',
    'redirect_invalid',
    'redirect_not_allowed',
    'unexpected_status',
    'content_unmatched',
    'content_forbidden',
    'header_unmatched',
    'json_unmatched',
    'checker_network',
    'checker_resources',
    'configuration',
    'overloaded',
    'not_running',
    'handover'
);

CREATE TYPE content_match AS ENUM (
    'matched',
    'unmatched',
    'not_checked'
);

CREATE TYPE check_warning AS ENUM (
    'slow_response',
    'cert_expires_soon'
);

-- One row per slot: site, region and instant. There is no foreign key to sites: what was checked of
-- a site that is gone is still a fact.
CREATE TABLE checks (
    site_id        BIGINT NOT NULL,
    scheduled_at   TIMESTAMPTZ NOT NULL,
    started_at     TIMESTAMPTZ,
    outcome        outcome NOT NULL,
    failure_kind   failure_kind,
    failure_phase  check_phase,
    content        content_match NOT NULL,
    dns_us         INTEGER,
    connect_us     INTEGER,
    tls_us         INTEGER,
    first_byte_us  INTEGER,
    transfer_us    INTEGER,
    total_us       INTEGER,
    status_code    SMALLINT,
    attempts       SMALLINT NOT NULL,
    region         TEXT NOT NULL,
    checker        TEXT NOT NULL,
    warnings       check_warning[],
    failure_detail TEXT,
    evidence       JSONB,
    PRIMARY KEY (site_id, region, scheduled_at)
) PARTITION BY RANGE (scheduled_at);

COMMENT ON TABLE checks IS 'How each slot of each site ended: one row per site, region and instant.';
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

-- The partition of one UTC day. Safe to call again, and from several sessions at once.
CREATE FUNCTION create_checks_partition(day DATE) RETURNS VOID LANGUAGE plpgsql
    SET lock_timeout = '5s' AS $$
DECLARE
    partition TEXT := format('checks_%s', to_char(day, 'YYYYMMDD'));
    first TIMESTAMPTZ := day::TIMESTAMP AT TIME ZONE 'UTC';
    next TIMESTAMPTZ := (day + 1)::TIMESTAMP AT TIME ZONE 'UTC';
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('create_checks_partition'));
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN;
    END IF;
    -- Attached rather than created in place: that would lock readers and writers of checks out.
    EXECUTE format('CREATE TABLE %I (LIKE checks INCLUDING ALL)', partition);
    EXECUTE format('ALTER TABLE checks ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   partition, first, next);
END;
$$;

COMMENT ON FUNCTION create_checks_partition IS 'Makes the partition of a UTC day, unless it is there.';

-- Uptime, defined in one place: the share of available checks among those that tell anything about
-- the site. NULL, not 1, when there are none.
CREATE FUNCTION uptime(up BIGINT, degraded BIGINT, down BIGINT) RETURNS DOUBLE PRECISION
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (up + degraded)::DOUBLE PRECISION / nullif(up + degraded + down, 0);

COMMENT ON FUNCTION uptime IS 'Share of available checks among those with a verdict; NULL when there are none.';

-- What the checks of an hour and of a day came to, per site and region. Derived from check_results
-- when the hour or the day is over, by the sink; computed anew by `admin rollups rebuild`.

-- The columns that both tables have. Those of eight bytes come first, so that there are no gaps.
CREATE TABLE rollup (
    dns_sum_us               BIGINT NOT NULL,
    connect_sum_us           BIGINT NOT NULL,
    tls_sum_us               BIGINT NOT NULL,
    first_byte_sum_us        BIGINT NOT NULL,
    transfer_sum_us          BIGINT NOT NULL,
    total_sum_us             BIGINT NOT NULL,
    up                       INTEGER NOT NULL,
    degraded                 INTEGER NOT NULL,
    down                     INTEGER NOT NULL,
    missed                   INTEGER NOT NULL,
    error                    INTEGER NOT NULL,
    suspect                  INTEGER NOT NULL,
    content_matched          INTEGER NOT NULL,
    content_unmatched        INTEGER NOT NULL,
    dns_count                INTEGER NOT NULL,
    dns_min_us               INTEGER,
    dns_max_us               INTEGER,
    connect_count            INTEGER NOT NULL,
    connect_min_us           INTEGER,
    connect_max_us           INTEGER,
    tls_count                INTEGER NOT NULL,
    tls_min_us               INTEGER,
    tls_max_us               INTEGER,
    first_byte_count         INTEGER NOT NULL,
    first_byte_min_us        INTEGER,
    first_byte_max_us        INTEGER,
    transfer_count           INTEGER NOT NULL,
    transfer_min_us          INTEGER,
    transfer_max_us          INTEGER,
    total_count              INTEGER NOT NULL,
    total_min_us             INTEGER,
    total_max_us             INTEGER,
    region_id                SMALLINT NOT NULL,
    failure_kinds            failure_kind[] NOT NULL,
    failure_counts           INTEGER[] NOT NULL,
    status_codes             SMALLINT[] NOT NULL,
    status_counts            INTEGER[] NOT NULL,
    dns_buckets              SMALLINT[] NOT NULL,
    dns_bucket_counts        INTEGER[] NOT NULL,
    connect_buckets          SMALLINT[] NOT NULL,
    connect_bucket_counts    INTEGER[] NOT NULL,
    tls_buckets              SMALLINT[] NOT NULL,
    tls_bucket_counts        INTEGER[] NOT NULL,
    first_byte_buckets       SMALLINT[] NOT NULL,
    first_byte_bucket_counts INTEGER[] NOT NULL,
    transfer_buckets         SMALLINT[] NOT NULL,
    transfer_bucket_counts   INTEGER[] NOT NULL,
    total_buckets            SMALLINT[] NOT NULL,
    total_bucket_counts      INTEGER[] NOT NULL
);

COMMENT ON COLUMN rollup.up IS 'How many checks ended so. So for the other outcomes.';
COMMENT ON COLUMN rollup.suspect IS 'Checks that ended while most sites of their checker had begun to fail at once.';
COMMENT ON COLUMN rollup.content_matched IS 'Checks whose content rules held; those that are neither matched nor unmatched had none to check.';
COMMENT ON COLUMN rollup.failure_kinds IS 'Each reason that checks were down, missed or error for.';
COMMENT ON COLUMN rollup.failure_counts IS 'How many checks, for each of failure_kinds.';
COMMENT ON COLUMN rollup.status_codes IS 'Each status code that was seen.';
COMMENT ON COLUMN rollup.status_counts IS 'How many checks saw it, for each of status_codes.';
COMMENT ON COLUMN rollup.dns_count IS 'Available checks (up, degraded) that had this phase; its sum, min, max and histogram are of these. So for the other phases.';
COMMENT ON COLUMN rollup.dns_sum_us IS 'Microseconds. So for the other phases.';
COMMENT ON COLUMN rollup.dns_min_us IS 'NULL when there was none. So for the other phases.';
COMMENT ON COLUMN rollup.dns_buckets IS 'Histogram: the buckets that are not empty, as in histogram_buckets. So for the other phases.';
COMMENT ON COLUMN rollup.dns_bucket_counts IS 'How many checks, for each of dns_buckets. So for the other phases.';

-- Rows are replaced by deleting and copying, never updated: their pages need no room to spare.
CREATE TABLE rollup_hours (
    site_id BIGINT NOT NULL,
    hour    TIMESTAMPTZ NOT NULL,
    LIKE rollup INCLUDING COMMENTS,
    PRIMARY KEY (site_id, region_id, hour)
) WITH (autovacuum_vacuum_scale_factor = 0.02);

CREATE TABLE rollup_days (
    site_id BIGINT NOT NULL,
    day     DATE NOT NULL,
    LIKE rollup INCLUDING COMMENTS,
    PRIMARY KEY (site_id, region_id, day)
) WITH (autovacuum_vacuum_scale_factor = 0.02);

DROP TABLE rollup;

-- The overview of all sites reads these alone.
CREATE INDEX rollup_hours_overview ON rollup_hours (hour, site_id, region_id)
    INCLUDE (up, degraded, down, missed, error);
CREATE INDEX rollup_days_overview ON rollup_days (day, site_id, region_id)
    INCLUDE (up, degraded, down, missed, error);

COMMENT ON TABLE rollup_hours IS 'What the checks of an hour came to: one row per site and region that had any. The view site_uptime_hourly shows it with names.';
COMMENT ON TABLE rollup_days IS 'What the checks of a day in UTC came to: one row per site and region that had any, the sum of its hours. The view site_uptime_daily shows it with names.';
COMMENT ON COLUMN rollup_hours.hour IS 'Begin of the hour.';
COMMENT ON COLUMN rollup_days.day IS 'The day in UTC.';

-- How far they go.
CREATE TABLE rollup_progress (
    only_row        BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (only_row),
    hours_closed_to TIMESTAMPTZ,
    days_closed_to  DATE,
    raw_from        DATE
);

INSERT INTO rollup_progress DEFAULT VALUES;

COMMENT ON TABLE rollup_progress IS 'One row: how far checks have been rolled up, and from when on it could be done again.';
COMMENT ON COLUMN rollup_progress.hours_closed_to IS 'Every hour before it is closed: rollup_hours says all that was stored of it, but for what dirty_hours names. NULL before the first.';
COMMENT ON COLUMN rollup_progress.days_closed_to IS 'Every day before it is closed, in rollup_days. NULL before the first.';
COMMENT ON COLUMN rollup_progress.raw_from IS 'The checks of days before it were dropped: what is rolled up of those days is final. NULL when none were.';

-- Marks are worked off hour by hour.
ALTER TABLE dirty_hours
    DROP CONSTRAINT dirty_hours_pkey,
    ADD PRIMARY KEY (hour, site_id, region_id);

-- The borders are the powers of gamma = 1.05, rounded down: bucket k holds what is above
-- gamma^(k - 1), up to gamma^k, and bucket -1 holds zero. Another gamma would be other columns.
CREATE TABLE histogram_buckets (
    bucket  SMALLINT PRIMARY KEY,
    low_us  BIGINT NOT NULL,
    high_us BIGINT NOT NULL,
    CHECK (low_us <= high_us)
);

WITH RECURSIVE powers (bucket, power) AS (
    SELECT 0, 1::NUMERIC
    UNION ALL
    SELECT bucket + 1, power * 1.05 FROM powers WHERE bucket < 455
), borders AS (
    SELECT
        bucket,
        coalesce(lag(trunc(power)) OVER (ORDER BY bucket), 0) + 1 AS low,
        least(trunc(power), 4294967295) AS high
    FROM powers
)
INSERT INTO histogram_buckets (bucket, low_us, high_us)
SELECT -1, 0, 0
UNION ALL
SELECT bucket, low, high FROM borders WHERE low <= high;

COMMENT ON TABLE histogram_buckets IS 'What the buckets of the histograms hold: the borders are powers of gamma = 1.05, so a percentile is within 2.5 % of the exact one.';
COMMENT ON COLUMN histogram_buckets.low_us IS 'The smallest value in it, in microseconds.';
COMMENT ON COLUMN histogram_buckets.high_us IS 'The largest value in it.';

CREATE FUNCTION histogram_quantile(buckets SMALLINT[], counts BIGINT[], q DOUBLE PRECISION)
    RETURNS DOUBLE PRECISION LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH counted AS (
        SELECT bucket, sum(count) OVER (ORDER BY bucket) AS reached
        FROM unnest(buckets, counts) AS entry (bucket, count)
    )
    SELECT CASE WHEN high_us = 0 THEN 0
        ELSE 2.0::DOUBLE PRECISION * low_us * high_us / (low_us + high_us) END
    FROM counted JOIN histogram_buckets USING (bucket)
    WHERE reached >= ceil(least(greatest(q, 0), 1) * (SELECT max(reached) FROM counted)::DOUBLE PRECISION)
    ORDER BY bucket
    LIMIT 1
$$;

COMMENT ON FUNCTION histogram_quantile IS 'The value below or at which the share q of a histogram is, within 2.5 %; NULL when it is empty. In the unit of the buckets: microseconds.';

CREATE VIEW site_uptime_hourly AS
SELECT
    site_id,
    sites.name AS site,
    regions.name AS region,
    hour,
    uptime(up, degraded, down) AS uptime,
    (up + degraded + down)::DOUBLE PRECISION
        / nullif(up + degraded + down + missed + error, 0) AS coverage,
    up,
    degraded,
    down,
    missed,
    error,
    total_sum_us::DOUBLE PRECISION / nullif(total_count, 0) / 1e3 AS mean_ms,
    histogram_quantile(total_buckets, total_bucket_counts, 0.5) / 1e3 AS p50_ms,
    histogram_quantile(total_buckets, total_bucket_counts, 0.95) / 1e3 AS p95_ms,
    histogram_quantile(total_buckets, total_bucket_counts, 0.99) / 1e3 AS p99_ms
FROM rollup_hours
LEFT JOIN sites ON sites.id = site_id
LEFT JOIN regions ON regions.id = region_id;

CREATE VIEW site_uptime_daily AS
SELECT
    site_id,
    sites.name AS site,
    regions.name AS region,
    day,
    uptime(up, degraded, down) AS uptime,
    (up + degraded + down)::DOUBLE PRECISION
        / nullif(up + degraded + down + missed + error, 0) AS coverage,
    up,
    degraded,
    down,
    missed,
    error,
    total_sum_us::DOUBLE PRECISION / nullif(total_count, 0) / 1e3 AS mean_ms,
    histogram_quantile(total_buckets, total_bucket_counts, 0.5) / 1e3 AS p50_ms,
    histogram_quantile(total_buckets, total_bucket_counts, 0.95) / 1e3 AS p95_ms,
    histogram_quantile(total_buckets, total_bucket_counts, 0.99) / 1e3 AS p99_ms
FROM rollup_days
LEFT JOIN sites ON sites.id = site_id
LEFT JOIN regions ON regions.id = region_id;

COMMENT ON VIEW site_uptime_hourly IS 'Uptime and response time of each site in each region, by the hour, for the hours that are over.';
COMMENT ON VIEW site_uptime_daily IS 'Uptime and response time of each site in each region, by the day in UTC, for the days that are over.';
COMMENT ON COLUMN site_uptime_hourly.site IS 'Name of the site; NULL when it is not monitored any more.';
COMMENT ON COLUMN site_uptime_hourly.uptime IS 'Share of available checks among those with a verdict; NULL when there were none.';
COMMENT ON COLUMN site_uptime_hourly.coverage IS 'Share of checks with a verdict among all that were due.';
COMMENT ON COLUMN site_uptime_hourly.mean_ms IS 'Of available checks. So for the percentiles, which are within 2.5 %.';
COMMENT ON COLUMN site_uptime_daily.site IS 'Name of the site; NULL when it is not monitored any more.';
COMMENT ON COLUMN site_uptime_daily.uptime IS 'Share of available checks among those with a verdict; NULL when there were none.';
COMMENT ON COLUMN site_uptime_daily.coverage IS 'Share of checks with a verdict among all that were due.';
COMMENT ON COLUMN site_uptime_daily.mean_ms IS 'Of available checks. So for the percentiles, which are within 2.5 %.';

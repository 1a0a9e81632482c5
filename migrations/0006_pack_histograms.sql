-- Histograms in three bytes for each bucket, in place of two arrays: the row of an hour takes half the
-- room, and half the work to write. The tables are made anew and the old ones go at once: no version
-- that writes to them was ever released.

-- As this program packs: of each entry nine bits say the bucket, counted from -1, and fifteen the count.
-- What exceeds them takes another entry.
CREATE FUNCTION pg_temp.packed(buckets SMALLINT[], counts INTEGER[]) RETURNS BYTEA
    LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(string_agg(
        substr(int4send((bucket + 1) << 15 | least(count - part * 32767, 32767)), 2), ''
        ORDER BY bucket, part
    ), '')
    FROM unnest(buckets, counts) AS entry (bucket, count)
    CROSS JOIN generate_series(0, (count - 1) / 32767) AS part
$$;

DROP VIEW site_uptime_hourly;
DROP VIEW site_uptime_daily;
ALTER TABLE rollup_hours RENAME TO old_rollup_hours;
ALTER TABLE rollup_days RENAME TO old_rollup_days;

-- The columns that both tables have. Those of eight bytes come first, so that there are no gaps.
CREATE TABLE rollup (
    dns_sum_us           BIGINT NOT NULL,
    connect_sum_us       BIGINT NOT NULL,
    tls_sum_us           BIGINT NOT NULL,
    first_byte_sum_us    BIGINT NOT NULL,
    transfer_sum_us      BIGINT NOT NULL,
    total_sum_us         BIGINT NOT NULL,
    up                   INTEGER NOT NULL,
    degraded             INTEGER NOT NULL,
    down                 INTEGER NOT NULL,
    missed               INTEGER NOT NULL,
    error                INTEGER NOT NULL,
    suspect              INTEGER NOT NULL,
    content_matched      INTEGER NOT NULL,
    content_unmatched    INTEGER NOT NULL,
    dns_count            INTEGER NOT NULL,
    dns_min_us           INTEGER,
    dns_max_us           INTEGER,
    connect_count        INTEGER NOT NULL,
    connect_min_us       INTEGER,
    connect_max_us       INTEGER,
    tls_count            INTEGER NOT NULL,
    tls_min_us           INTEGER,
    tls_max_us           INTEGER,
    first_byte_count     INTEGER NOT NULL,
    first_byte_min_us    INTEGER,
    first_byte_max_us    INTEGER,
    transfer_count       INTEGER NOT NULL,
    transfer_min_us      INTEGER,
    transfer_max_us      INTEGER,
    total_count          INTEGER NOT NULL,
    total_min_us         INTEGER,
    total_max_us         INTEGER,
    region_id            SMALLINT NOT NULL,
    failure_kinds        failure_kind[] NOT NULL,
    failure_counts       INTEGER[] NOT NULL,
    status_codes         SMALLINT[] NOT NULL,
    status_counts        INTEGER[] NOT NULL,
    dns_histogram        BYTEA NOT NULL,
    connect_histogram    BYTEA NOT NULL,
    tls_histogram        BYTEA NOT NULL,
    first_byte_histogram BYTEA NOT NULL,
    transfer_histogram   BYTEA NOT NULL,
    total_histogram      BYTEA NOT NULL
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
COMMENT ON COLUMN rollup.dns_histogram IS 'How many checks are in each bucket; read it with histogram_entries or histogram_quantile. So for the other phases.';

-- Rows are replaced by deleting and copying, never updated: their pages need no room to spare.
CREATE TABLE rollup_hours (
    site_id BIGINT NOT NULL,
    hour    TIMESTAMPTZ NOT NULL,
    LIKE rollup INCLUDING COMMENTS
) WITH (autovacuum_vacuum_scale_factor = 0.02);

CREATE TABLE rollup_days (
    site_id BIGINT NOT NULL,
    day     DATE NOT NULL,
    LIKE rollup INCLUDING COMMENTS
) WITH (autovacuum_vacuum_scale_factor = 0.02);

DROP TABLE rollup;

INSERT INTO rollup_hours (
    site_id, hour, dns_sum_us, connect_sum_us, tls_sum_us, first_byte_sum_us,
    transfer_sum_us, total_sum_us, up, degraded, down, missed, error, suspect,
    content_matched, content_unmatched, dns_count, dns_min_us, dns_max_us, connect_count,
    connect_min_us, connect_max_us, tls_count, tls_min_us, tls_max_us, first_byte_count,
    first_byte_min_us, first_byte_max_us, transfer_count, transfer_min_us, transfer_max_us,
    total_count, total_min_us, total_max_us, region_id, failure_kinds, failure_counts,
    status_codes, status_counts, dns_histogram, connect_histogram, tls_histogram,
    first_byte_histogram, transfer_histogram, total_histogram
)
SELECT
    site_id, hour, dns_sum_us, connect_sum_us, tls_sum_us, first_byte_sum_us,
    transfer_sum_us, total_sum_us, up, degraded, down, missed, error, suspect,
    content_matched, content_unmatched, dns_count, dns_min_us, dns_max_us, connect_count,
    connect_min_us, connect_max_us, tls_count, tls_min_us, tls_max_us, first_byte_count,
    first_byte_min_us, first_byte_max_us, transfer_count, transfer_min_us, transfer_max_us,
    total_count, total_min_us, total_max_us, region_id, failure_kinds, failure_counts,
    status_codes, status_counts,
    pg_temp.packed(dns_buckets, dns_bucket_counts),
    pg_temp.packed(connect_buckets, connect_bucket_counts),
    pg_temp.packed(tls_buckets, tls_bucket_counts),
    pg_temp.packed(first_byte_buckets, first_byte_bucket_counts),
    pg_temp.packed(transfer_buckets, transfer_bucket_counts),
    pg_temp.packed(total_buckets, total_bucket_counts)
FROM old_rollup_hours;

INSERT INTO rollup_days (
    site_id, day, dns_sum_us, connect_sum_us, tls_sum_us, first_byte_sum_us,
    transfer_sum_us, total_sum_us, up, degraded, down, missed, error, suspect,
    content_matched, content_unmatched, dns_count, dns_min_us, dns_max_us, connect_count,
    connect_min_us, connect_max_us, tls_count, tls_min_us, tls_max_us, first_byte_count,
    first_byte_min_us, first_byte_max_us, transfer_count, transfer_min_us, transfer_max_us,
    total_count, total_min_us, total_max_us, region_id, failure_kinds, failure_counts,
    status_codes, status_counts, dns_histogram, connect_histogram, tls_histogram,
    first_byte_histogram, transfer_histogram, total_histogram
)
SELECT
    site_id, day, dns_sum_us, connect_sum_us, tls_sum_us, first_byte_sum_us,
    transfer_sum_us, total_sum_us, up, degraded, down, missed, error, suspect,
    content_matched, content_unmatched, dns_count, dns_min_us, dns_max_us, connect_count,
    connect_min_us, connect_max_us, tls_count, tls_min_us, tls_max_us, first_byte_count,
    first_byte_min_us, first_byte_max_us, transfer_count, transfer_min_us, transfer_max_us,
    total_count, total_min_us, total_max_us, region_id, failure_kinds, failure_counts,
    status_codes, status_counts,
    pg_temp.packed(dns_buckets, dns_bucket_counts),
    pg_temp.packed(connect_buckets, connect_bucket_counts),
    pg_temp.packed(tls_buckets, tls_bucket_counts),
    pg_temp.packed(first_byte_buckets, first_byte_bucket_counts),
    pg_temp.packed(transfer_buckets, transfer_bucket_counts),
    pg_temp.packed(total_buckets, total_bucket_counts)
FROM old_rollup_days;

DROP TABLE old_rollup_hours;
DROP TABLE old_rollup_days;
DROP FUNCTION pg_temp.packed;

ALTER TABLE rollup_hours ADD PRIMARY KEY (site_id, region_id, hour);
ALTER TABLE rollup_days ADD PRIMARY KEY (site_id, region_id, day);

-- The overview of all sites reads these alone.
CREATE INDEX rollup_hours_overview ON rollup_hours (hour, site_id, region_id)
    INCLUDE (up, degraded, down, missed, error);
CREATE INDEX rollup_days_overview ON rollup_days (day, site_id, region_id)
    INCLUDE (up, degraded, down, missed, error);

COMMENT ON TABLE rollup_hours IS 'What the checks of an hour came to: one row per site and region that had any. The view site_uptime_hourly shows it with names.';
COMMENT ON TABLE rollup_days IS 'What the checks of a day in UTC came to: one row per site and region that had any, the sum of its hours. The view site_uptime_daily shows it with names.';
COMMENT ON COLUMN rollup_hours.hour IS 'Begin of the hour.';
COMMENT ON COLUMN rollup_days.day IS 'The day in UTC.';

-- Strict or volatile it would not be inlined.
CREATE FUNCTION histogram_entries(histogram BYTEA)
    RETURNS TABLE (bucket SMALLINT, count BIGINT) LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT
        ((get_byte(histogram, at) << 1 | (get_byte(histogram, at + 1) >> 7)) - 1)::SMALLINT,
        ((get_byte(histogram, at + 1) & 127) << 8 | get_byte(histogram, at + 2))::BIGINT
    FROM generate_series(0, length(histogram) - 3, 3) AS at
$$;

COMMENT ON FUNCTION histogram_entries IS 'The buckets of a histogram that are not empty, as in histogram_buckets, and how many checks are in each. A bucket with more than 32,767 comes several times: sum them up.';

-- A loop takes a quarter of the time that a query over the entries would, mostly to begin and to end.
CREATE FUNCTION histogram_quantile(histogram BYTEA, q DOUBLE PRECISION)
    RETURNS DOUBLE PRECISION LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
    last_entry INTEGER := length(histogram) - 3;
    reached BIGINT := 0;
    rank DOUBLE PRECISION;
BEGIN
    FOR at IN 0 .. last_entry BY 3 LOOP
        reached := reached + ((get_byte(histogram, at + 1) & 127) << 8 | get_byte(histogram, at + 2));
    END LOOP;
    rank := ceil(least(greatest(q, 0), 1) * reached);
    reached := 0;
    FOR at IN 0 .. last_entry BY 3 LOOP
        reached := reached + ((get_byte(histogram, at + 1) & 127) << 8 | get_byte(histogram, at + 2));
        IF reached >= rank THEN
            RETURN (
                SELECT CASE WHEN high_us = 0 THEN 0
                    ELSE 2.0::DOUBLE PRECISION * low_us * high_us / (low_us + high_us) END
                FROM histogram_buckets
                WHERE bucket = (get_byte(histogram, at) << 1 | (get_byte(histogram, at + 1) >> 7)) - 1
            );
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION histogram_quantile(BYTEA, DOUBLE PRECISION) IS 'The value below or at which the share q of a histogram is, within 2.5 %; NULL when it is empty. In the unit of the buckets: microseconds.';

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
    histogram_quantile(total_histogram, 0.5) / 1e3 AS p50_ms,
    histogram_quantile(total_histogram, 0.95) / 1e3 AS p95_ms,
    histogram_quantile(total_histogram, 0.99) / 1e3 AS p99_ms
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
    histogram_quantile(total_histogram, 0.5) / 1e3 AS p50_ms,
    histogram_quantile(total_histogram, 0.95) / 1e3 AS p95_ms,
    histogram_quantile(total_histogram, 0.99) / 1e3 AS p99_ms
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

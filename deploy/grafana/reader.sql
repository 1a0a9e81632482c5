-- The user that Grafana reads as, under the rights that migrations/README.md documents. Run it as the owner of
-- the tables, as often as you like; the password is the setting monitor.reader_password:
--
--   PGOPTIONS='-c monitor.reader_password=…' psql "$DATABASE_URL" -f deploy/grafana/reader.sql
DO $$
BEGIN
    IF coalesce(current_setting('monitor.reader_password', TRUE), '') = '' THEN
        RAISE EXCEPTION 'set monitor.reader_password to the password of monitor_reader';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitor_reader') THEN
        CREATE ROLE monitor_reader;
    END IF;
    EXECUTE format('ALTER ROLE monitor_reader LOGIN PASSWORD %L', current_setting('monitor.reader_password'));
END;
$$;

-- A question that is too heavy ends, rather than holding up the sink.
ALTER ROLE monitor_reader SET statement_timeout = '30s';
ALTER ROLE monitor_reader SET default_transaction_read_only = 'on';

GRANT SELECT ON
    checks, current_state, outages, site_overview, site_uptime_hourly, site_uptime_daily, fleet_uptime_hourly,
    check_results, regions, checkers, site_state, rollup_hours, rollup_days, histogram_buckets
    TO monitor_reader;
GRANT SELECT (
    id, name, method, interval, timeout, expect_status, max_response_time, redirects, ip_family, http_version,
    tls_verify, cert_expiry_warning, retries, regions, enabled, tags, created_at, updated_at
) ON sites TO monitor_reader;

-- A fleet with a history, for pictures of the dashboard: 90 days of checks up to now, with slow spells, outages and
-- what was not checked. Only for an empty database.
\set ON_ERROR_STOP on
SET TIME ZONE 'UTC';
SELECT setseed(0.42) \g /dev/null

INSERT INTO regions (name) VALUES ('eu-north'), ('us-east'), ('ap-south');
INSERT INTO checkers (name) SELECT 'checker-' || name FROM regions ORDER BY id;

-- How long each phase usually takes, in microseconds.
CREATE TEMP TABLE fleet (
    name TEXT, host TEXT, path TEXT, tags TEXT[], regions TEXT[], connect INTEGER, first_byte INTEGER, certificate INTERVAL
);
INSERT INTO fleet VALUES
    ('shop', 'shop.example.com', '/', '{public,shop}', '{eu-north,us-east,ap-south}', 21000, 148000, '61 days'),
    ('checkout', 'checkout.example.com', '/health', '{public,shop}', '{eu-north,us-east,ap-south}', 24000, 96000, '61 days'),
    ('payments', 'payments.example.com', '/health', '{shop}', '{eu-north,us-east}', 18000, 71000, '44 days'),
    ('search', 'search.example.com', '/?q=shoes', '{shop}', '{eu-north,us-east,ap-south}', 22000, 187000, '61 days'),
    ('api', 'api.example.com', '/v2/ping', '{public,api}', '{eu-north,us-east,ap-south}', 19000, 42000, '73 days'),
    ('login', 'login.example.com', '/', '{public,api}', '{eu-north,us-east}', 20000, 118000, '73 days'),
    ('webhooks', 'hooks.example.com', '/health', '{api}', '{eu-north}', 17000, 39000, '73 days'),
    ('blog', 'blog.example.com', '/', '{public,web}', '{eu-north}', 26000, 64000, '35 days'),
    ('docs', 'docs.example.com', '/', '{public,web}', '{eu-north,us-east}', 16000, 33000, '9 days 5 hours'),
    ('help', 'help.example.com', '/en', '{web}', '{us-east}', 31000, 210000, '52 days'),
    ('careers', 'careers.example.com', '/', '{web}', '{eu-north}', 24000, 133000, '82 days'),
    ('images', 'images.example.com', '/probe.webp', '{web,shop}', '{eu-north,us-east,ap-south}', 9000, 15000, '28 days'),
    ('partners', 'partners.example.com', '/', '{partner}', '{eu-north,us-east}', 29000, 174000, '-2 hours -12 minutes'),
    ('status', 'status.example.com', '/status', '{web}', '{us-east}', 15000, 22000, '66 days'),
    ('old shop', 'old.example.com', '/', '{web}', '{eu-north}', 30000, 240000, '120 days');

INSERT INTO sites (
    name, url, method, headers, interval, timeout, expect_status, content_regex, expect_headers, expect_json,
    max_response_time, redirects, ip_family, http_version, tls_verify, cert_expiry_warning, body_limit, retries, regions,
    enabled, tags
)
SELECT
    name, 'https://' || host || path, 'GET', CASE name WHEN 'api' THEN '{"authorization": "Bearer 7f3c"}' ELSE '{}' END::JSONB, '1 minute',
    '10 seconds', '200-299', CASE name WHEN 'shop' THEN 'Add to basket' END, '{}', '{}', '1 second', 10, 'any', 'auto', TRUE, '14 days', 1048576, 1, '{}',
    name <> 'old shop', tags
FROM fleet;

-- What went wrong: how long ago it began, for how long, and where (everywhere, when nowhere is named).
CREATE TEMP TABLE trouble (
    name TEXT, ago INTERVAL, length INTERVAL, regions TEXT[], outcome outcome, kind failure_kind, phase check_phase, status SMALLINT, detail TEXT
);
INSERT INTO trouble VALUES
    ('checkout', '23 minutes', '1 hour', '{}', 'down', 'unexpected_status', 'assertion', 503, 'status 503, expected 200-299'),
    ('checkout', '6 days 3 hours', '17 minutes', '{}', 'down', 'unexpected_status', 'assertion', 503, 'status 503, expected 200-299'),
    ('checkout', '19 days 6 hours', '46 minutes', '{us-east}', 'down', 'connect_timeout', 'connect', NULL, 'connecting to 203.0.113.24:443 took longer than 10s'),
    ('checkout', '41 days 11 hours', '9 minutes', '{}', 'down', 'content_unmatched', 'assertion', 200, 'content_regex does not match'),
    ('checkout', '68 days 2 hours', '4 hours 10 minutes', '{ap-south}', 'down', 'dns_timeout', 'dns', NULL, 'no name server answered within 10s'),
    ('partners', '2 hours 12 minutes', '1 day', '{}', 'down', 'cert_expired', 'tls', NULL, 'certificate CN=partners.example.com has expired'),
    ('shop', '9 hours 40 minutes', '26 minutes', '{}', 'down', 'first_byte_timeout', 'first_byte', NULL, 'waiting for the response took longer than 10s'),
    ('shop', '27 days 5 hours', '1 hour 20 minutes', '{eu-north}', 'down', 'connection_refused', 'connect', NULL, 'cannot connect to 203.0.113.20:443: Connection refused (os error 111)'),
    ('shop', '55 days 20 hours', '35 minutes', '{}', 'down', 'unexpected_status', 'assertion', 502, 'status 502, expected 200-299'),
    ('api', '3 hours 5 minutes', '4 minutes', '{ap-south}', 'down', 'connection_reset', 'first_byte', NULL, 'the connection was reset'),
    ('api', '33 days', '22 minutes', '{}', 'down', 'unexpected_status', 'assertion', 500, 'status 500, expected 200-299'),
    ('login', '14 hours', '13 minutes', '{}', 'down', 'unexpected_status', 'assertion', 502, 'status 502, expected 200-299'),
    ('blog', '17 hours', '1 hour 45 minutes', '{}', 'down', 'connection_refused', 'connect', NULL, 'cannot connect to 203.0.113.80:443: Connection refused (os error 111)'),
    ('blog', '48 days', '6 hours', '{}', 'down', 'dns_servfail', 'dns', NULL, 'the name server failed'),
    ('help', '4 days 2 hours', '3 hours', '{}', 'down', 'unexpected_status', 'assertion', 503, 'status 503, expected 200-299'),
    ('careers', '12 days', '9 hours', '{}', 'down', 'tls_handshake', 'tls', NULL, 'the handshake failed: unexpected end of file'),
    ('images', '5 hours 30 minutes', '3 minutes', '{us-east}', 'down', 'body_timeout', 'body', 200, 'reading the body took longer than 10s'),
    ('search', '8 days 4 hours', '31 minutes', '{}', 'down', 'first_byte_timeout', 'first_byte', NULL, 'waiting for the response took longer than 10s');
INSERT INTO trouble (name, ago, length, regions, outcome, kind, detail)
SELECT name, '16 days 9 hours', '2 hours 20 minutes', '{ap-south}', 'missed', 'not_running', 'no checker was running' FROM fleet;

CREATE TEMP TABLE slow (name TEXT, ago INTERVAL, length INTERVAL, factor DOUBLE PRECISION);
INSERT INTO slow VALUES
    ('search', '41 minutes', '1 hour', 9),
    ('search', '21 hours', '50 minutes', 4),
    ('shop', '11 hours', '80 minutes', 4.5),
    ('shop', '8 days', '5 hours', 2.2),
    ('shop', '44 days', '2 days', 1.8),
    ('checkout', '55 minutes', '32 minutes', 6),
    ('checkout', '6 days 4 hours', '1 hour', 5),
    ('checkout', '30 days', '3 days', 1.9),
    ('payments', '7 hours', '40 minutes', 3),
    ('help', '13 hours', '2 hours', 3),
    ('api', '3 hours 30 minutes', '30 minutes', 5);

-- Each minute of the last three days, and every twelfth before: that is enough to look at.
CREATE TEMP TABLE due AS
SELECT minute FROM generate_series(date_trunc('minute', now()) - INTERVAL '3 days', now(), INTERVAL '1 minute') AS minute
UNION ALL
SELECT minute FROM generate_series(date_trunc('day', now()) - INTERVAL '90 days', now() - INTERVAL '3 days 1 minute', INTERVAL '12 minutes') AS minute;

SELECT create_check_results_partition((now() - past * INTERVAL '1 day')::DATE) FROM generate_series(0, 90) AS past \g /dev/null

CREATE FUNCTION pg_temp.log_normal(median DOUBLE PRECISION, width DOUBLE PRECISION) RETURNS INTEGER LANGUAGE sql AS
$$ SELECT (median * exp(width * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())))::INTEGER $$;

INSERT INTO check_results (
    site_id, scheduled_at, checker_id, region_id, outcome, content, attempts, started_after_ms, dns_us, connect_us, tls_us,
    first_byte_us, transfer_us, total_us, failure_kind, failure_phase, status_code, suspect, warnings, failure_detail, evidence
)
SELECT
    site.id, due.minute + (site.id * 7 + region.id) % 57 * INTERVAL '1 second', region.id, region.id,
    CASE WHEN trouble.outcome IS NOT NULL THEN trouble.outcome WHEN took.is_slow OR fleet.certificate < '14 days' AND due.minute > now() - INTERVAL '4 days 19 hours' THEN 'degraded' ELSE 'up' END,
    CASE WHEN trouble.kind = 'content_unmatched' THEN 'unmatched' WHEN fleet.name = 'shop' AND trouble.outcome IS NULL THEN 'matched' ELSE 'not_checked' END::content_match,
    CASE WHEN trouble.outcome = 'missed' THEN 0 ELSE 1 END, CASE WHEN trouble.outcome = 'missed' THEN NULL ELSE 2 END,
    CASE WHEN reached.phase > 1 THEN took.dns END,
    CASE WHEN reached.phase > 2 THEN took.connect END,
    CASE WHEN reached.phase > 3 THEN took.tls END,
    CASE WHEN reached.phase > 4 THEN took.first_byte END,
    CASE WHEN reached.phase > 5 THEN took.transfer END,
    CASE
        WHEN trouble.outcome = 'missed' THEN NULL
        WHEN trouble.kind IN ('connect_timeout', 'dns_timeout', 'first_byte_timeout', 'body_timeout') THEN 10001000
        WHEN trouble.kind = 'connection_refused' THEN took.dns + 21000
        WHEN reached.phase <= 5 THEN took.dns + took.connect + took.tls
        ELSE took.dns + took.connect + took.tls + took.first_byte + took.transfer
    END,
    trouble.kind, trouble.phase, CASE WHEN trouble.outcome IS NULL THEN 200 ELSE trouble.status END, FALSE,
    CASE
        WHEN trouble.outcome IS NULL AND took.is_slow THEN '{slow_response}'
        WHEN trouble.outcome IS NULL AND fleet.certificate < '14 days' AND due.minute > now() - INTERVAL '4 days 19 hours' THEN '{cert_expires_soon}'
    END::check_warning[],
    trouble.detail,
    CASE WHEN (trouble.outcome = 'down' OR took.is_slow) AND due.minute > now() - INTERVAL '7 days' THEN jsonb_build_object(
        'http', jsonb_build_object('version', '2', 'final_url', site.url, 'redirects', 0, 'body_bytes', 1384, 'remote_addr', '203.0.113.24:443'),
        'tls', jsonb_build_object(
            'version', 'TLSv1.3', 'cipher', 'TLS_AES_256_GCM_SHA384', 'subject', 'CN=' || fleet.host, 'issuer', 'CN=Example TLS RSA CA 2',
            'sha256', encode(sha256(fleet.host::BYTEA), 'hex'),
            'not_before', to_char(now() + fleet.certificate - INTERVAL '90 days', 'YYYY-MM-DD"T"HH24:MI:SS.000"Z"'),
            'not_after', to_char(now() + fleet.certificate, 'YYYY-MM-DD"T"HH24:MI:SS.000"Z"')
        )
    ) END
FROM due
CROSS JOIN fleet
JOIN sites AS site ON site.name = fleet.name
JOIN regions AS region ON region.name = ANY (fleet.regions)
LEFT JOIN LATERAL (
    SELECT * FROM trouble WHERE trouble.name = fleet.name
        AND due.minute >= now() - trouble.ago AND due.minute < now() - trouble.ago + trouble.length
        AND (trouble.regions = '{}' OR region.name = ANY (trouble.regions))
    LIMIT 1
) AS trouble ON TRUE
LEFT JOIN LATERAL (
    SELECT max(factor) AS factor FROM slow WHERE slow.name = fleet.name AND due.minute >= now() - slow.ago AND due.minute < now() - slow.ago + slow.length
) AS slow ON TRUE
CROSS JOIN LATERAL (
    SELECT
        pg_temp.log_normal(2400, 0.5) AS dns,
        pg_temp.log_normal(fleet.connect * (1 + (region.id - 1) * 1.6), 0.12) AS connect,
        pg_temp.log_normal(fleet.connect * 1.7 * (1 + (region.id - 1) * 1.6), 0.14) AS tls,
        -- Days are busier than nights, and a few answers take long.
        pg_temp.log_normal(
            fleet.first_byte * coalesce(slow.factor, 1) * (1 + 0.35 * sin(extract(EPOCH FROM due.minute) / 86400 * 2 * pi() - 1.9)),
            CASE WHEN random() < 0.02 THEN 0.7 ELSE 0.22 END
        ) AS first_byte,
        pg_temp.log_normal(6500, 0.4) AS transfer
    WHERE due.minute IS NOT NULL
) AS luck
CROSS JOIN LATERAL (SELECT luck.*, luck.dns + luck.connect + luck.tls + luck.first_byte + luck.transfer > 1000000 AS is_slow) AS took
CROSS JOIN LATERAL (
    -- Which phase a check came to: one that is not reached was not measured.
    SELECT CASE
        WHEN trouble.outcome IS NULL THEN 6
        WHEN trouble.outcome = 'missed' THEN 0
        ELSE CASE trouble.phase WHEN 'dns' THEN 1 WHEN 'connect' THEN 2 WHEN 'tls' THEN 3 WHEN 'first_byte' THEN 4 WHEN 'body' THEN 5 ELSE 6 END
    END AS phase
) AS reached
WHERE fleet.name <> 'old shop';

-- How each site is now, of its latest checks.
INSERT INTO site_state (
    site_id, region_id, scheduled_at, outcome, failure_kind, failure_phase, failure_detail, status_code, total_us, last_verdict,
    last_verdict_at, since, cert_not_after, cert_seen_at, warnings
)
SELECT
    latest.site_id, latest.region_id, now() - latest.site_id * INTERVAL '2 seconds', latest.outcome, latest.failure_kind, latest.failure_phase, latest.failure_detail,
    latest.status_code, latest.total_us, latest.outcome, now() - latest.site_id * INTERVAL '2 seconds', since.at, date_trunc('second', now() + fleet.certificate), now(),
    latest.warnings
FROM sites
JOIN fleet ON fleet.name = sites.name
CROSS JOIN LATERAL (SELECT DISTINCT ON (region_id) * FROM check_results WHERE site_id = sites.id ORDER BY region_id, scheduled_at DESC) AS latest
CROSS JOIN LATERAL (
    SELECT coalesce(
        (SELECT min(later.scheduled_at) FROM check_results AS later WHERE later.site_id = sites.id AND later.region_id = latest.region_id AND later.scheduled_at > other.last_at),
        sites.created_at - INTERVAL '90 days'
    ) AS at
    FROM (
        SELECT max(scheduled_at) AS last_at FROM check_results AS earlier
        WHERE earlier.site_id = sites.id AND earlier.region_id = latest.region_id AND earlier.outcome <> latest.outcome AND earlier.outcome <> 'missed'
    ) AS other
) AS since;

-- Every hour until now is closed; `admin rollups rebuild` computes what is rolled up of them.
UPDATE rollup_progress SET hours_closed_to = date_trunc('hour', now()), days_closed_to = now()::DATE;
ANALYZE;

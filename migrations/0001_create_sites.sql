-- What is monitored. The columns are the fields of a site file, under the same names.
CREATE TABLE sites (
    id                   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name                 TEXT NOT NULL UNIQUE,
    url                  TEXT NOT NULL,
    method               TEXT NOT NULL,
    headers              JSONB NOT NULL,
    body                 TEXT,
    interval             INTERVAL NOT NULL,
    timeout              INTERVAL NOT NULL,
    expect_status        TEXT NOT NULL,
    content_regex        TEXT,
    content_regex_absent TEXT,
    expect_headers       JSONB NOT NULL,
    expect_json          TEXT[] NOT NULL,
    max_response_time    INTERVAL,
    redirects            SMALLINT NOT NULL,
    ip_family            TEXT NOT NULL,
    http_version         TEXT NOT NULL,
    tls_verify           BOOLEAN NOT NULL,
    tls_ca               TEXT,
    tls_client_cert      TEXT,
    cert_expiry_warning  INTERVAL NOT NULL,
    body_limit           BIGINT NOT NULL,
    retries              SMALLINT NOT NULL,
    regions              TEXT[] NOT NULL,
    enabled              BOOLEAN NOT NULL,
    tags                 TEXT[] NOT NULL,
    created_at           TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at           TIMESTAMPTZ NOT NULL DEFAULT now()
);

COMMENT ON TABLE sites IS 'What is monitored; the columns are the fields of a site file.';
COMMENT ON COLUMN sites.headers IS 'Request headers, name to value; may hold secrets.';
COMMENT ON COLUMN sites.interval IS 'Time between two checks.';
COMMENT ON COLUMN sites.timeout IS 'Deadline of a whole check, at most the interval.';
COMMENT ON COLUMN sites.expect_status IS 'Accepted status codes and ranges, such as 200-299,304.';
COMMENT ON COLUMN sites.expect_headers IS 'Response headers, name to the regular expression that a value must match.';
COMMENT ON COLUMN sites.expect_json IS 'JSONPath queries that must each select something.';
COMMENT ON COLUMN sites.max_response_time IS 'A slower answer is degraded.';
COMMENT ON COLUMN sites.redirects IS 'How many redirects are followed.';
COMMENT ON COLUMN sites.tls_ca IS 'Certificate authorities to trust instead of the system''s, in PEM.';
COMMENT ON COLUMN sites.tls_client_cert IS 'Client certificate and its private key, in PEM.';
COMMENT ON COLUMN sites.cert_expiry_warning IS 'A certificate that ends sooner is degraded.';
COMMENT ON COLUMN sites.body_limit IS 'Most decoded bytes of the body that are read.';
COMMENT ON COLUMN sites.regions IS 'Regions that check the site; all when empty.';

-- One row: its revision grows with every change of sites, so that checkers can ask cheaply
-- whether there is news.
CREATE TABLE sites_revision (
    only_row BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (only_row),
    revision BIGINT NOT NULL
);

INSERT INTO sites_revision (revision) VALUES (1);

COMMENT ON TABLE sites_revision IS 'One row whose revision grows with every change of sites.';

CREATE FUNCTION bump_sites_revision() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    UPDATE sites_revision SET revision = revision + 1;
    RETURN NULL;
END;
$$;

COMMENT ON FUNCTION bump_sites_revision IS 'Trigger of sites: counts each statement that may have changed something.';

CREATE TRIGGER sites_changed
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sites
    FOR EACH STATEMENT EXECUTE FUNCTION bump_sites_revision();

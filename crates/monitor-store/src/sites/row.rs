//! A site as a row: one column per field, filled from and read as the JSON of the site.
//!
//! The only difference between the two is in durations: the table has intervals, so that psql
//! shows and compares them well; the JSON has texts with a unit.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;
use monitor_core::{Site, SiteConfig, SiteId};
use serde_json::{Value, json};
use sqlx::PgExecutor;

use super::{InvalidSite, StoredSite};
use crate::error::StoreError;

/// A row that has not been validated yet.
pub(super) struct SiteRow {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) fields: Value,
    pub(super) enabled: bool,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) version: i64,
}

impl SiteRow {
    /// Validates the row like any other input: it may have been changed by hand.
    pub(super) fn into_site(self) -> Result<Site, InvalidSite> {
        let id = SiteId(self.id);
        let fields = self.fields.as_object().cloned().unwrap_or_default();
        SiteConfig::from_json(&fields)
            .map(|config| Site { id, config })
            .map_err(|problems| InvalidSite {
                id,
                name: self.name,
                problems,
            })
    }

    /// The same with what the table knows besides.
    pub(super) fn into_stored(self) -> Result<StoredSite, InvalidSite> {
        let (created_at, updated_at) = (self.created_at, self.updated_at);
        let version = self.version;
        self.into_site().map(|site| StoredSite {
            site,
            created_at,
            updated_at,
            version,
        })
    }
}

/// Selects rows: which ones, and in what order, is what follows the name of the query.
macro_rules! select {
    ($name:literal, $which:literal $(+ $more:literal)* $(, $parameter:expr)*) => {
        sqlx::query_as!(
            $crate::sites::row::SiteRow,
            "-- " + $name + r#"
        SELECT id, name, jsonb_build_object(
            'name', name,
            'url', url,
            'method', method,
            'headers', headers,
            'body', body,
            'interval', (EXTRACT(EPOCH FROM interval) * 1000)::BIGINT || 'ms',
            'timeout', (EXTRACT(EPOCH FROM timeout) * 1000)::BIGINT || 'ms',
            'expect_status', expect_status,
            'content_regex', content_regex,
            'content_regex_absent', content_regex_absent,
            'expect_headers', expect_headers,
            'expect_json', expect_json,
            'max_response_time', (EXTRACT(EPOCH FROM max_response_time) * 1000)::BIGINT || 'ms',
            'redirects', redirects,
            'ip_family', ip_family,
            'http_version', http_version,
            'tls_verify', tls_verify,
            'tls_ca', tls_ca,
            'tls_client_cert', tls_client_cert,
            'cert_expiry_warning',
                (EXTRACT(EPOCH FROM cert_expiry_warning) * 1000)::BIGINT || 'ms',
            'body_limit', body_limit,
            'retries', retries,
            'regions', regions,
            'enabled', enabled,
            'tags', tags
        ) AS "fields!", enabled, created_at, updated_at, version
        FROM sites "# + $which $(+ $more)*,
            $($parameter),*
        )
    };
}
pub(super) use select;

/// All rows, by name, one at a time.
pub(super) fn stream<'e>(
    executor: impl PgExecutor<'e> + 'e,
) -> BoxStream<'e, Result<SiteRow, sqlx::Error>> {
    select!("sites.select", "ORDER BY name").fetch(executor)
}

/// The row of that id.
pub(super) async fn get(
    executor: impl PgExecutor<'_>,
    id: SiteId,
) -> Result<Option<SiteRow>, StoreError> {
    select!("sites.get", "WHERE id = $1", id.0)
        .fetch_optional(executor)
        .await
        .map_err(StoreError::doing("cannot read a site"))
}

/// Writes sites, by name: a new name is a new site, a known one keeps its id.
pub(super) async fn upsert(
    executor: impl PgExecutor<'_>,
    configs: &[&SiteConfig],
) -> Result<Vec<SiteId>, StoreError> {
    let rows: Vec<Value> = configs.iter().map(|config| record(config)).collect();
    let ids = sqlx::query_scalar!(
        r#"-- sites.upsert
        INSERT INTO sites (
            name, url, method, headers, body, interval, timeout, expect_status, content_regex,
            content_regex_absent, expect_headers, expect_json, max_response_time, redirects,
            ip_family, http_version, tls_verify, tls_ca, tls_client_cert, cert_expiry_warning,
            body_limit, retries, regions, enabled, tags
        )
        SELECT
            name, url, method, headers, body, interval, timeout, expect_status, content_regex,
            content_regex_absent, expect_headers, expect_json, max_response_time, redirects,
            ip_family, http_version, tls_verify, tls_ca, tls_client_cert, cert_expiry_warning,
            body_limit, retries, regions, enabled, tags
        FROM jsonb_populate_recordset(NULL::sites, $1)
        ON CONFLICT (name) DO UPDATE SET
            url = EXCLUDED.url,
            method = EXCLUDED.method,
            headers = EXCLUDED.headers,
            body = EXCLUDED.body,
            interval = EXCLUDED.interval,
            timeout = EXCLUDED.timeout,
            expect_status = EXCLUDED.expect_status,
            content_regex = EXCLUDED.content_regex,
            content_regex_absent = EXCLUDED.content_regex_absent,
            expect_headers = EXCLUDED.expect_headers,
            expect_json = EXCLUDED.expect_json,
            max_response_time = EXCLUDED.max_response_time,
            redirects = EXCLUDED.redirects,
            ip_family = EXCLUDED.ip_family,
            http_version = EXCLUDED.http_version,
            tls_verify = EXCLUDED.tls_verify,
            tls_ca = EXCLUDED.tls_ca,
            tls_client_cert = EXCLUDED.tls_client_cert,
            cert_expiry_warning = EXCLUDED.cert_expiry_warning,
            body_limit = EXCLUDED.body_limit,
            retries = EXCLUDED.retries,
            regions = EXCLUDED.regions,
            enabled = EXCLUDED.enabled,
            tags = EXCLUDED.tags,
            updated_at = now()
        RETURNING id"#,
        Value::Array(rows)
    )
    .fetch_all(executor)
    .await
    .map_err(StoreError::doing("cannot write sites"))?;
    Ok(ids.into_iter().map(SiteId).collect())
}

/// The JSON of a site with durations as PostgreSQL reads intervals.
fn record(config: &SiteConfig) -> Value {
    let mut json = config.to_json();
    for (field, duration) in [
        ("interval", Some(config.interval)),
        ("timeout", Some(config.timeout)),
        ("max_response_time", config.max_response_time),
        ("cert_expiry_warning", Some(config.cert_expiry_warning)),
    ] {
        json.insert(field.to_owned(), duration.map_or(Value::Null, interval));
    }
    Value::Object(json)
}

fn interval(duration: Duration) -> Value {
    json!(format!("{} milliseconds", duration.as_millis()))
}

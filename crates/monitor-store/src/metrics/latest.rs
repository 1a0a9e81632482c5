//! The latest check of every site.

use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::SiteId;
use monitor_core::metric::{LatestCheck, site_state};
use monitor_core::site::SiteUrl;

use super::MetricDataProvider;
use crate::error::{StoreError, parsed};
use crate::stored_checks::{region, timings};

struct Row {
    site_id: i64,
    name: String,
    url: String,
    region: String,
    scheduled_at: DateTime<Utc>,
    outcome: String,
    last_verdict: Option<String>,
    last_verdict_at: Option<DateTime<Utc>>,
    interval_ms: i64,
    timeout_ms: i64,
    failure_kind: Option<String>,
    status_code: Option<i16>,
    cert_not_after: Option<DateTime<Utc>>,
    content: Option<String>,
    dns_us: Option<i32>,
    connect_us: Option<i32>,
    tls_us: Option<i32>,
    first_byte_us: Option<i32>,
    transfer_us: Option<i32>,
    total_us: Option<i32>,
}

impl MetricDataProvider {
    /// The latest check of each of the first `sites` sites by name that are being checked, region by
    /// region, with how the site is there at `now`. A site that was never checked has none.
    pub async fn latest(
        &self,
        sites: u32,
        now: DateTime<Utc>,
    ) -> Result<Vec<LatestCheck>, StoreError> {
        // `LIMIT 1` makes each check be looked up by its key: there is one at most, and that alone
        // would not keep the planner from reading whole days.
        let rows = sqlx::query_as!(
            Row,
            r#"-- metrics.latest
            SELECT
                site_id, sites.name, url, regions.name AS region, state.scheduled_at,
                state.outcome::TEXT AS "outcome!", last_verdict::TEXT, last_verdict_at,
                (date_part('epoch', interval) * 1000)::BIGINT AS "interval_ms!",
                (date_part('epoch', timeout) * 1000)::BIGINT AS "timeout_ms!",
                state.failure_kind::TEXT, state.status_code, cert_not_after,
                latest.content::TEXT AS "content?", latest.dns_us AS "dns_us?",
                latest.connect_us AS "connect_us?", latest.tls_us AS "tls_us?",
                latest.first_byte_us AS "first_byte_us?", latest.transfer_us AS "transfer_us?",
                state.total_us
            FROM (
                SELECT id, name, url, interval, timeout, regions
                FROM sites
                WHERE enabled
                ORDER BY name
                LIMIT $1
            ) AS sites
            JOIN site_state AS state ON state.site_id = sites.id
            JOIN regions ON regions.id = state.region_id
            LEFT JOIN LATERAL (
                SELECT content, dns_us, connect_us, tls_us, first_byte_us, transfer_us
                FROM check_results
                WHERE site_id = state.site_id
                    AND region_id = state.region_id
                    AND scheduled_at = state.scheduled_at
                LIMIT 1
            ) AS latest ON TRUE
            WHERE sites.regions = '{}' OR regions.name = ANY (sites.regions)
            ORDER BY sites.name, regions.name"#,
            i64::from(sites)
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::doing("cannot read the latest checks"))?;
        rows.into_iter().map(|row| row.into_check(now)).collect()
    }
}

impl Row {
    fn into_check(self, now: DateTime<Utc>) -> Result<LatestCheck, StoreError> {
        let url = self.url.parse::<SiteUrl>();
        let verdict = self.last_verdict.as_deref().map(parsed).transpose()?;
        let state = site_state(
            verdict.zip(self.last_verdict_at),
            now,
            TimeDelta::milliseconds(self.interval_ms),
            TimeDelta::milliseconds(self.timeout_ms),
        );
        Ok(LatestCheck {
            site: SiteId(self.site_id),
            name: self.name,
            url: url.map(|url| url.to_string()).unwrap_or_default(),
            region: region(&self.region)?,
            state,
            scheduled_at: self.scheduled_at,
            outcome: parsed(&self.outcome)?,
            failure_kind: self.failure_kind.as_deref().map(parsed).transpose()?,
            status_code: self.status_code.and_then(|code| u16::try_from(code).ok()),
            content: self.content.as_deref().map(parsed).transpose()?,
            timings_us: timings([
                self.dns_us,
                self.connect_us,
                self.tls_us,
                self.first_byte_us,
                self.transfer_us,
                self.total_us,
            ]),
            cert_not_after: self.cert_not_after,
        })
    }
}

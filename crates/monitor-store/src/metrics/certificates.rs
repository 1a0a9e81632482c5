//! Which certificates end soon.

use chrono::{DateTime, Utc};
use monitor_core::SiteId;
use monitor_core::metric::CertificateEnd;

use super::MetricDataProvider;
use crate::error::StoreError;
use crate::stored_checks::region;

/// Most that one answer says.
const MOST: u32 = 10_000;

struct Row {
    site_id: i64,
    name: String,
    region: String,
    not_after: DateTime<Utc>,
    seen_at: DateTime<Utc>,
}

impl MetricDataProvider {
    /// The certificates that end before `before`, or have ended, soonest first; at most `limit` of
    /// them (1 to 10 000; what is outside is moved inside).
    ///
    /// They are those of sites that are being checked, as seen last in each region.
    pub async fn certificates_ending(
        &self,
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<CertificateEnd>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            r#"-- metrics.certificates
            SELECT
                site_id, sites.name, regions.name AS region,
                cert_not_after AS "not_after!", cert_seen_at AS "seen_at!"
            FROM site_state
            JOIN sites ON sites.id = site_id AND enabled
            JOIN regions ON regions.id = region_id
            WHERE cert_not_after < $1
                AND (sites.regions = '{}' OR regions.name = ANY (sites.regions))
            ORDER BY cert_not_after, site_id, region
            LIMIT $2"#,
            before,
            i64::from(limit.clamp(1, MOST)),
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::doing("cannot read when certificates end"))?;
        rows.into_iter().map(Row::into_end).collect()
    }
}

impl Row {
    fn into_end(self) -> Result<CertificateEnd, StoreError> {
        Ok(CertificateEnd {
            site: SiteId(self.site_id),
            name: self.name,
            region: region(&self.region)?,
            not_after: self.not_after,
            seen_at: self.seen_at,
        })
    }
}

//! Single checks, a page at a time.

use chrono::{DateTime, Utc};
use monitor_core::event::Timings;
use monitor_core::metric::{
    ContentResult, Cursor, OutcomeFilter, Page, PageRequest, ResponseTime, StatusCode, TimeRange,
};
use monitor_core::{Region, SiteId};

use super::MetricDataProvider;
use crate::error::{StoreError, parsed};

/// Which checks: what all questions have in common.
struct Selection<'a> {
    site: SiteId,
    range: TimeRange,
    outcomes: Option<Vec<String>>,
    page: &'a PageRequest,
}

/// The columns of all three questions: they are asked of the same rows.
struct CheckRow {
    scheduled_at: DateTime<Utc>,
    region: String,
    outcome: String,
    content: String,
    status_code: Option<i16>,
    dns_us: Option<i32>,
    connect_us: Option<i32>,
    tls_us: Option<i32>,
    first_byte_us: Option<i32>,
    transfer_us: Option<i32>,
    total_us: Option<i32>,
}

impl MetricDataProvider {
    /// How long the checks took, phase by phase.
    pub async fn response_times(
        &self,
        site: SiteId,
        range: TimeRange,
        filter: OutcomeFilter,
        page: &PageRequest,
    ) -> Result<Page<ResponseTime>, StoreError> {
        self.page(&Selection::new(site, range, filter, page), |row| {
            Ok(ResponseTime {
                scheduled_at: row.scheduled_at,
                region: region(&row)?,
                outcome: parsed(&row.outcome)?,
                timings_us: timings(&row),
            })
        })
        .await
    }

    /// What status codes the checks saw.
    pub async fn status_codes(
        &self,
        site: SiteId,
        range: TimeRange,
        filter: OutcomeFilter,
        page: &PageRequest,
    ) -> Result<Page<StatusCode>, StoreError> {
        self.page(&Selection::new(site, range, filter, page), |row| {
            Ok(StatusCode {
                scheduled_at: row.scheduled_at,
                region: region(&row)?,
                outcome: parsed(&row.outcome)?,
                status_code: row.status_code.and_then(|code| u16::try_from(code).ok()),
            })
        })
        .await
    }

    /// What became of the content rules.
    pub async fn content_matches(
        &self,
        site: SiteId,
        range: TimeRange,
        filter: OutcomeFilter,
        page: &PageRequest,
    ) -> Result<Page<ContentResult>, StoreError> {
        self.page(&Selection::new(site, range, filter, page), |row| {
            Ok(ContentResult {
                scheduled_at: row.scheduled_at,
                region: region(&row)?,
                outcome: parsed(&row.outcome)?,
                content: parsed(&row.content)?,
            })
        })
        .await
    }

    async fn page<T>(
        &self,
        selection: &Selection<'_>,
        item: impl Fn(CheckRow) -> Result<T, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let mut rows = self.rows(selection).await?;
        // One row more than asked for was read, to know whether there is a next page.
        let limit = usize::try_from(selection.page.limit()).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more);
        let next = last
            .map(|row| {
                Ok(Cursor {
                    scheduled_at: row.scheduled_at,
                    region: region(row)?,
                })
            })
            .transpose()?;
        let items = rows.into_iter().map(item).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    async fn rows(&self, selection: &Selection<'_>) -> Result<Vec<CheckRow>, StoreError> {
        let Selection {
            site,
            range,
            outcomes,
            page,
        } = selection;
        let after = page.after.as_ref();
        // The pages before need no second look: whole days of them are skipped.
        let from = after.map_or(range.from(), |cursor| range.from().max(cursor.scheduled_at));
        sqlx::query_as!(
            CheckRow,
            r#"-- metrics.checks
            SELECT
                scheduled_at, regions.name AS region, outcome::TEXT AS "outcome!",
                content::TEXT AS "content!", status_code, dns_us, connect_us, tls_us,
                first_byte_us, transfer_us, total_us
            FROM check_results
            JOIN regions ON regions.id = region_id
            WHERE site_id = $1
                AND scheduled_at >= $2
                AND scheduled_at < $3
                AND ($4::TEXT[] IS NULL OR outcome = ANY ($4::TEXT[]::outcome[]))
                AND ($5::TIMESTAMPTZ IS NULL OR (scheduled_at, regions.name) > ($5, $6::TEXT))
            ORDER BY scheduled_at, regions.name
            LIMIT $7"#,
            site.0,
            from,
            range.to(),
            outcomes.as_deref(),
            after.map(|cursor| cursor.scheduled_at),
            after.map(|cursor| cursor.region.as_str()),
            i64::from(page.limit()) + 1
        )
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::doing("cannot read checks"))
    }
}

impl<'a> Selection<'a> {
    fn new(site: SiteId, range: TimeRange, filter: OutcomeFilter, page: &'a PageRequest) -> Self {
        let outcomes = filter
            .outcomes()
            .map(|outcomes| outcomes.iter().map(ToString::to_string).collect());
        Self {
            site,
            range,
            outcomes,
            page,
        }
    }
}

fn timings(row: &CheckRow) -> Timings {
    let micros = |phase: Option<i32>| phase.and_then(|micros| u32::try_from(micros).ok());
    Timings {
        dns: micros(row.dns_us),
        connect: micros(row.connect_us),
        tls: micros(row.tls_us),
        first_byte: micros(row.first_byte_us),
        transfer: micros(row.transfer_us),
        total: micros(row.total_us),
    }
}

fn region(row: &CheckRow) -> Result<Region, StoreError> {
    row.region
        .parse()
        .map_err(|error| StoreError::Value(format!("in checks: {error}")))
}

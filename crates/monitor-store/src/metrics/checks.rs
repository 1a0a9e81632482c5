//! Single checks, a page at a time.

use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::event::Evidence;
use monitor_core::metric::{
    CheckFilter, ContentResult, Cursor, Order, OutcomeFilter, Page, PageRequest, ResponseTime,
    StatusCode, StoredCheck, TimeRange,
};
use monitor_core::{Region, SiteId};
use sqlx::types::Json;

use super::MetricDataProvider;
use crate::error::StoreError;
use crate::stored_checks::{CheckRow, select};

impl MetricDataProvider {
    /// All that is stored about the checks.
    pub async fn checks(
        &self,
        site: SiteId,
        range: TimeRange,
        filter: &CheckFilter,
        page: &PageRequest,
    ) -> Result<Page<StoredCheck>, StoreError> {
        let mut rows = self.rows(site, range, filter, page).await?;
        // One row more than asked for was read, to know whether there is a next page.
        let limit = usize::try_from(page.limit()).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let checks = rows.into_iter().map(CheckRow::into_check);
        let items: Vec<StoredCheck> = checks.collect::<Result<_, _>>()?;
        let next = items.last().filter(|_| more).map(|last| Cursor {
            scheduled_at: last.scheduled_at,
            region: last.region.clone(),
        });
        Ok(Page { items, next })
    }

    /// How long the checks took, phase by phase.
    pub async fn response_times(
        &self,
        site: SiteId,
        range: TimeRange,
        filter: OutcomeFilter,
        page: &PageRequest,
    ) -> Result<Page<ResponseTime>, StoreError> {
        let checks = self.checks(site, range, &filter.into(), page).await?;
        Ok(checks.map(|check| ResponseTime {
            scheduled_at: check.scheduled_at,
            region: check.region,
            outcome: check.outcome,
            timings_us: check.timings_us,
        }))
    }

    /// What status codes the checks saw.
    pub async fn status_codes(
        &self,
        site: SiteId,
        range: TimeRange,
        filter: OutcomeFilter,
        page: &PageRequest,
    ) -> Result<Page<StatusCode>, StoreError> {
        let checks = self.checks(site, range, &filter.into(), page).await?;
        Ok(checks.map(|check| StatusCode {
            scheduled_at: check.scheduled_at,
            region: check.region,
            outcome: check.outcome,
            status_code: check.status_code,
        }))
    }

    /// What became of the content rules.
    pub async fn content_matches(
        &self,
        site: SiteId,
        range: TimeRange,
        filter: OutcomeFilter,
        page: &PageRequest,
    ) -> Result<Page<ContentResult>, StoreError> {
        let checks = self.checks(site, range, &filter.into(), page).await?;
        Ok(checks.map(|check| ContentResult {
            scheduled_at: check.scheduled_at,
            region: check.region,
            outcome: check.outcome,
            content: check.content,
        }))
    }

    /// Each region's checks lie in the order of time, so those of a page are found without reading
    /// any others: as many of each region, of which the page are the first.
    async fn rows(
        &self,
        site: SiteId,
        range: TimeRange,
        filter: &CheckFilter,
        page: &PageRequest,
    ) -> Result<Vec<CheckRow>, StoreError> {
        let outcomes = filter.outcomes.as_ref().map(|outcomes| {
            let names = outcomes.iter().map(ToString::to_string);
            names.collect::<Vec<_>>()
        });
        let after = page.after.as_ref();
        let (from, to) = rest(range, page.order, after);
        macro_rules! page {
            ($name:literal, $direction:literal, $beyond:literal) => {
                select!(
                    $name,
                    "FROM site_state
            JOIN regions ON regions.id = site_state.region_id
            CROSS JOIN LATERAL (
                SELECT
                    xmin, site_id, scheduled_at, started_after_ms, checker_id, outcome,
                    failure_kind, failure_phase, failure_detail, warnings, suspect, status_code,
                    content, dns_us, connect_us, tls_us, first_byte_us, transfer_us, total_us,
                    attempts, evidence
                FROM check_results
                WHERE site_id = site_state.site_id
                    AND region_id = site_state.region_id
                    AND scheduled_at >= $2
                    AND scheduled_at < $3
                    AND ($4::TEXT[] IS NULL OR outcome = ANY ($4::TEXT[]::outcome[]))
                    AND ($5::TIMESTAMPTZ IS NULL
                        OR (scheduled_at, regions.name) " + $beyond + " ($5, $6::TEXT))
                ORDER BY scheduled_at " + $direction + "
                LIMIT $8
            ) AS result
            JOIN checkers ON checkers.id = result.checker_id
        WHERE site_state.site_id = $1 AND ($7::TEXT IS NULL OR regions.name = $7)
        ORDER BY result.scheduled_at " + $direction + ", regions.name " + $direction + "
        LIMIT $8",
                    site.0,
                    from,
                    to,
                    outcomes.as_deref(),
                    after.map(|cursor| cursor.scheduled_at),
                    after.map(|cursor| cursor.region.as_str()),
                    filter.region.as_ref().map(Region::as_str),
                    i64::from(page.limit()) + 1
                )
                .fetch_all(&self.pool)
                .await
            };
        }
        let rows = match page.order {
            Order::OldestFirst => page!("metrics.checks", "ASC", ">"),
            Order::NewestFirst => page!("metrics.newest_checks", "DESC", "<"),
        };
        rows.map_err(StoreError::doing("cannot read checks"))
    }
}

/// What is left of the range after the pages before: whole days of them are skipped.
fn rest(range: TimeRange, order: Order, after: Option<&Cursor>) -> (DateTime<Utc>, DateTime<Utc>) {
    let (from, to) = (range.from(), range.to());
    match (order, after) {
        (_, None) => (from, to),
        (Order::OldestFirst, Some(cursor)) => (from.max(cursor.scheduled_at), to),
        // Other regions may still have a check of the same instant.
        (Order::NewestFirst, Some(cursor)) => (
            from,
            to.min(cursor.scheduled_at + TimeDelta::microseconds(1)),
        ),
    }
}

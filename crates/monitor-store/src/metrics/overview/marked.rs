//! Hours of which late checks are stored, and not rolled up yet: what was rolled up of them, and what their
//! checks come to.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::closed::Part;
use super::open::{Tally, tallies};
use super::sum::Sum;
use crate::error::StoreError;
use crate::metrics::scope::Marks;

/// Marks, as columns.
#[derive(Debug, Default)]
pub(super) struct Marked {
    site_ids: Vec<i64>,
    region_ids: Vec<i16>,
    hours: Vec<DateTime<Utc>>,
}

impl Marked {
    /// Those of hours that matter.
    pub(super) fn of(marks: &Marks, matters: impl Fn(DateTime<Utc>) -> bool) -> Self {
        let mut marked = Self::default();
        for (series, hours) in marks {
            for hour in hours.iter().filter(|hour| matters(**hour)) {
                marked.site_ids.push(series.site_id);
                marked.region_ids.push(series.region_id);
                marked.hours.push(*hour);
            }
        }
        marked
    }
}

/// What is to be changed about what is closed, by site.
#[derive(Debug, Default)]
pub(super) struct Corrections {
    removed: HashMap<i64, Vec<Part>>,
    added: HashMap<i64, Vec<Tally>>,
}

impl Corrections {
    pub(super) async fn read(
        connection: &mut PgConnection,
        marked: &Marked,
    ) -> Result<Self, StoreError> {
        let mut corrections = Self::default();
        if marked.hours.is_empty() {
            return Ok(corrections);
        }
        for part in rolled_up(connection, marked).await? {
            let removed = corrections.removed.entry(part.site_id).or_default();
            removed.push(part);
        }
        for tally in stored(connection, marked).await? {
            let added = corrections.added.entry(tally.site_id).or_default();
            added.push(tally);
        }
        Ok(corrections)
    }

    /// Whether there are any of a site.
    pub(super) fn are_of(&self, site: i64) -> bool {
        self.removed.contains_key(&site) || self.added.contains_key(&site)
    }

    pub(super) fn apply_to(&self, sum: &mut Sum, site: i64) -> Result<(), StoreError> {
        for part in self.removed.get(&site).into_iter().flatten() {
            part.remove_from(sum)?;
        }
        for tally in self.added.get(&site).into_iter().flatten() {
            tally.add_to(sum);
        }
        Ok(())
    }
}

async fn rolled_up(
    connection: &mut PgConnection,
    marked: &Marked,
) -> Result<Vec<Part>, StoreError> {
    sqlx::query_as!(
        Part,
        r#"-- overview.marked_hours
        SELECT
            site_id AS "site_id!", up, degraded, down, missed, error, total_histogram
        FROM unnest($1::BIGINT[], $2::SMALLINT[], $3::TIMESTAMPTZ[])
            AS mark (site_id, region_id, hour)
        JOIN rollup_hours USING (site_id, region_id, hour)"#,
        &marked.site_ids,
        &marked.region_ids,
        &marked.hours,
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing("cannot read rollups"))
}

async fn stored(connection: &mut PgConnection, marked: &Marked) -> Result<Vec<Tally>, StoreError> {
    tallies!(
        "overview.marked_checks",
        "FALSE",
        "FROM unnest($1::BIGINT[], $2::SMALLINT[], $3::TIMESTAMPTZ[])
            AS mark (site_id, region_id, hour)
        JOIN check_results USING (site_id, region_id)
        WHERE scheduled_at >= hour AND scheduled_at < hour + INTERVAL '1 hour'",
        &marked.site_ids,
        &marked.region_ids,
        &marked.hours,
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing("cannot read checks"))
}

//! Reading what a plan says, added up by bucket.

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use sqlx::PgConnection;

use super::plan::{Source, Span, around};
use super::scope::Marks;
use crate::error::StoreError;
use crate::rollups::{Checks, Keys, Rollup, RollupRow, Series, checks, rollup_rows};

/// From so many series on, checks are read as they lie in the table: to look up each series by the
/// key then costs more.
const MANY: usize = 32;

/// What is to be read.
#[derive(Debug, Default)]
pub(super) struct Work {
    days: Parts<NaiveDate>,
    hours: Parts<DateTime<Utc>>,
    checks: Parts<DateTime<Utc>>,
    /// Checks of all series.
    checks_of_all: Vec<Span>,
}

/// Spans of time of single series, as columns.
#[derive(Debug)]
struct Parts<T> {
    site_ids: Vec<i64>,
    region_ids: Vec<i16>,
    froms: Vec<T>,
    tos: Vec<T>,
}

impl<T> Default for Parts<T> {
    fn default() -> Self {
        Self {
            site_ids: Vec::new(),
            region_ids: Vec::new(),
            froms: Vec::new(),
            tos: Vec::new(),
        }
    }
}

impl<T> Parts<T> {
    fn push(&mut self, series: Series, from: T, to: T) {
        self.site_ids.push(series.site_id);
        self.region_ids.push(series.region_id);
        self.froms.push(from);
        self.tos.push(to);
    }
}

impl Work {
    /// The spans of each series; of those with marks, around them.
    pub(super) fn of(keys: &Keys, spans: &[Span], marks: &Marks) -> Self {
        let mut work = Self::default();
        let many = keys.len() >= MANY;
        let mut common = spans.to_vec();
        if many {
            common.retain(|span| span.source != Source::Checks);
            let of_all = spans.iter().filter(|span| span.source == Source::Checks);
            work.checks_of_all.extend(of_all);
        }
        for series in keys.iter() {
            match marks.get(&series) {
                Some(marks) => work.push(series, &around(&common, marks)),
                None => work.push(series, &common),
            }
        }
        work
    }

    fn push(&mut self, series: Series, spans: &[Span]) {
        for Span { source, from, to } in spans {
            match source {
                Source::Days => self.days.push(series, from.date_naive(), to.date_naive()),
                Source::Hours => self.hours.push(series, *from, *to),
                Source::Checks => self.checks.push(series, *from, *to),
            }
        }
    }

    /// Reads it, added up by the buckets with these borders.
    pub(super) async fn read(
        &self,
        connection: &mut PgConnection,
        keys: &Keys,
        borders: &[DateTime<Utc>],
    ) -> Result<Vec<Rollup>, StoreError> {
        let mut sums = Sums {
            borders,
            rollups: vec![Rollup::default(); borders.len().saturating_sub(1)],
        };
        if !self.days.froms.is_empty() {
            sums.add_rollups(days(connection, &self.days)).await?;
        }
        if !self.hours.froms.is_empty() {
            sums.add_rollups(hours(connection, &self.hours)).await?;
        }
        if !self.checks.froms.is_empty() {
            let checks = checks_of_series(connection, &self.checks, borders);
            sums.add_checks(checks).await?;
        }
        if !self.checks_of_all.is_empty() {
            plan_each_time(connection).await?;
        }
        for span in &self.checks_of_all {
            sums.add_checks(checks_of_all(connection, keys, span, borders))
                .await?;
        }
        Ok(sums.rollups)
    }
}

/// What the checks of each bucket come to.
struct Sums<'a> {
    borders: &'a [DateTime<Utc>],
    rollups: Vec<Rollup>,
}

impl Sums<'_> {
    async fn add_rollups(
        &mut self,
        mut rows: BoxStream<'_, Result<RollupRow, sqlx::Error>>,
    ) -> Result<(), StoreError> {
        let reading = || StoreError::doing("cannot read rollups");
        while let Some(row) = rows.try_next().await.map_err(reading())? {
            let after = |border: &DateTime<Utc>| border.timestamp() <= row.key;
            if let Some(rollup) = self.bucket(self.borders.partition_point(after)) {
                row.add_to(rollup)?;
            }
        }
        Ok(())
    }

    async fn add_checks(
        &mut self,
        mut rows: BoxStream<'_, Result<Checks, sqlx::Error>>,
    ) -> Result<(), StoreError> {
        let reading = || StoreError::doing("cannot read checks");
        while let Some(checks) = rows.try_next().await.map_err(reading())? {
            let bucket = checks
                .key
                .first()
                .and_then(|key| usize::try_from(*key).ok());
            if let Some(rollup) = self.bucket(bucket.unwrap_or_default()) {
                checks.add_to(rollup)?;
            }
        }
        Ok(())
    }

    /// The bucket that begins with the border of this number, counted from one.
    fn bucket(&mut self, number: usize) -> Option<&mut Rollup> {
        self.rollups.get_mut(number.checked_sub(1)?)
    }
}

fn days<'c>(
    connection: &'c mut PgConnection,
    parts: &'c Parts<NaiveDate>,
) -> BoxStream<'c, Result<RollupRow, sqlx::Error>> {
    let query = rollup_rows!(
        "metrics.days",
        "(day - DATE '1970-01-01')::BIGINT * 86400",
        r#"FROM unnest($1::BIGINT[], $2::SMALLINT[], $3::DATE[], $4::DATE[])
            AS part (site_id, region_id, "from", "to")
        JOIN rollup_days USING (site_id, region_id)
        WHERE day >= part."from" AND day < part."to""#,
        &parts.site_ids,
        &parts.region_ids,
        &parts.froms,
        &parts.tos,
    );
    query.fetch(connection)
}

fn hours<'c>(
    connection: &'c mut PgConnection,
    parts: &'c Parts<DateTime<Utc>>,
) -> BoxStream<'c, Result<RollupRow, sqlx::Error>> {
    let query = rollup_rows!(
        "metrics.hours",
        "extract(EPOCH FROM hour)::BIGINT",
        r#"FROM unnest($1::BIGINT[], $2::SMALLINT[], $3::TIMESTAMPTZ[], $4::TIMESTAMPTZ[])
            AS part (site_id, region_id, "from", "to")
        JOIN rollup_hours USING (site_id, region_id)
        WHERE hour >= part."from" AND hour < part."to""#,
        &parts.site_ids,
        &parts.region_ids,
        &parts.froms,
        &parts.tos,
    );
    query.fetch(connection)
}

fn checks_of_series<'c>(
    connection: &'c mut PgConnection,
    parts: &'c Parts<DateTime<Utc>>,
    borders: &'c [DateTime<Utc>],
) -> BoxStream<'c, Result<Checks, sqlx::Error>> {
    let query = checks!(
        "metrics.checks_of_series",
        "width_bucket(scheduled_at, $5::TIMESTAMPTZ[])",
        r#"FROM unnest($1::BIGINT[], $2::SMALLINT[], $3::TIMESTAMPTZ[], $4::TIMESTAMPTZ[])
            AS part (site_id, region_id, "from", "to")
        JOIN check_results USING (site_id, region_id)
        WHERE scheduled_at >= part."from" AND scheduled_at < part."to""#,
        &parts.site_ids,
        &parts.region_ids,
        &parts.froms,
        &parts.tos,
        borders,
    );
    query.fetch(connection)
}

/// How checks of many series are best read depends on the time that they are of.
async fn plan_each_time(connection: &mut PgConnection) -> Result<(), StoreError> {
    sqlx::query!("SET LOCAL plan_cache_mode = force_custom_plan")
        .execute(connection)
        .await
        .map(drop)
        .map_err(StoreError::doing("cannot choose how to read checks"))
}

fn checks_of_all<'c>(
    connection: &'c mut PgConnection,
    keys: &'c Keys,
    span: &Span,
    borders: &'c [DateTime<Utc>],
) -> BoxStream<'c, Result<Checks, sqlx::Error>> {
    let query = checks!(
        "metrics.checks_of_all",
        "width_bucket(scheduled_at, $5::TIMESTAMPTZ[])",
        "FROM check_results
        JOIN unnest($1::BIGINT[], $2::SMALLINT[]) AS key (site_id, region_id)
            USING (site_id, region_id)
        WHERE scheduled_at >= $3 AND scheduled_at < $4",
        keys.site_ids(),
        keys.region_ids(),
        span.from,
        span.to,
        borders,
    );
    query.fetch(connection)
}

//! Reading what a plan says, added up by bucket.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use sqlx::PgConnection;

use super::plan::{Moments, Source, Span, around};
use super::scope::Marks;
use super::snapshot;
use crate::error::StoreError;
use crate::rollups::{Checks, Keys, Rollup, RollupRow, Series, checks, rollup_rows};

/// From so many series on, checks are read as they lie in the table: to look up each series by the
/// key then costs more.
const MANY: usize = 32;

/// What is to be read.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) days: Parts<NaiveDate>,
    pub(super) hours: Parts<DateTime<Utc>>,
    /// Of each span of time, the series whose checks are read.
    checks: BTreeMap<Moments, Vec<Series>>,
}

/// Spans of time of single series, as columns.
#[derive(Debug)]
pub(super) struct Parts<T> {
    pub(super) site_ids: Vec<i64>,
    pub(super) region_ids: Vec<i16>,
    pub(super) froms: Vec<T>,
    pub(super) tos: Vec<T>,
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
        for series in keys.iter() {
            match marks.get(&series) {
                Some(marks) => work.push(series, &around(spans, marks)),
                None => work.push(series, spans),
            }
        }
        work
    }

    fn push(&mut self, series: Series, spans: &[Span]) {
        for Span { source, from, to } in spans {
            match source {
                Source::Days => self.days.push(series, from.date_naive(), to.date_naive()),
                Source::Hours => self.hours.push(series, *from, *to),
                Source::Checks => self.checks.entry((*from, *to)).or_default().push(series),
            }
        }
    }

    /// The checks that are read, series by series.
    pub(super) fn checks(&self) -> Parts<DateTime<Utc>> {
        let mut parts = Parts::default();
        for ((from, to), series) in &self.checks {
            for one in series {
                parts.push(*one, *from, *to);
            }
        }
        parts
    }

    /// Reads it, added up by the buckets with these borders.
    pub(super) async fn read(
        self,
        connection: &mut PgConnection,
        borders: &[DateTime<Utc>],
    ) -> Result<Vec<Rollup>, StoreError> {
        let mut sums = Sums::of(borders);
        self.read_rollups(connection, &mut sums).await?;
        self.read_checks(connection, &mut sums).await?;
        Ok(sums.rollups)
    }

    /// Reads what of it is rolled up.
    pub(super) async fn read_rollups(
        &self,
        connection: &mut PgConnection,
        sums: &mut Sums<'_>,
    ) -> Result<(), StoreError> {
        if self.days.froms.is_empty() && self.hours.froms.is_empty() {
            return Ok(());
        }
        let rollups = rollups(connection, &self.days, &self.hours);
        sums.add_rollups(rollups).await
    }

    /// Reads the rest of it, check by check.
    pub(super) async fn read_checks(
        self,
        connection: &mut PgConnection,
        sums: &mut Sums<'_>,
    ) -> Result<(), StoreError> {
        let checks = self.checks.into_iter();
        let (many, few): (Vec<_>, Vec<_>) = checks.partition(|(_, series)| series.len() >= MANY);
        sums.add_few(connection, few).await?;
        if !many.is_empty() {
            snapshot::read_many(connection).await?;
            sums.add_many(connection, many).await?;
        }
        Ok(())
    }
}

/// What the checks of each bucket come to.
pub(super) struct Sums<'a> {
    borders: &'a [DateTime<Utc>],
    pub(super) rollups: Vec<Rollup>,
}

impl<'a> Sums<'a> {
    /// Nothing yet, by the buckets with these borders.
    pub(super) fn of(borders: &'a [DateTime<Utc>]) -> Self {
        Self {
            borders,
            rollups: vec![Rollup::default(); borders.len().saturating_sub(1)],
        }
    }

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

    /// Two spans at a time, such as the ends of a range.
    async fn add_few(
        &mut self,
        connection: &mut PgConnection,
        spans: Vec<(Moments, Vec<Series>)>,
    ) -> Result<(), StoreError> {
        let borders = self.borders;
        let mut spans = spans.into_iter().peekable();
        while let Some((span, series)) = spans.next() {
            let other = spans.next_if(|(_, others)| *others == series);
            let nothing = (span.1, span.1);
            let other = other.map_or(nothing, |(other, _)| other);
            let keys = series.into_iter().collect();
            let checks = checks_of_few(connection, &keys, [span, other], borders);
            self.add_checks(checks).await?;
        }
        Ok(())
    }

    async fn add_many(
        &mut self,
        connection: &mut PgConnection,
        spans: Vec<(Moments, Vec<Series>)>,
    ) -> Result<(), StoreError> {
        let borders = self.borders;
        for (span, series) in spans {
            let keys = series.into_iter().collect();
            let checks = checks_of_many(connection, &keys, span, borders);
            self.add_checks(checks).await?;
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

/// Days and hours in one answer: to ask twice takes longer than to find them.
fn rollups<'c>(
    connection: &'c mut PgConnection,
    days: &'c Parts<NaiveDate>,
    hours: &'c Parts<DateTime<Utc>>,
) -> BoxStream<'c, Result<RollupRow, sqlx::Error>> {
    let query = rollup_rows!(
        "metrics.rollups",
        [
            "(day - DATE '1970-01-01')::BIGINT * 86400",
            r#"FROM unnest($1::BIGINT[], $2::SMALLINT[], $3::DATE[], $4::DATE[])
            AS part (site_id, region_id, "from", "to")
        JOIN rollup_days USING (site_id, region_id)
        WHERE day >= part."from" AND day < part."to"
        UNION ALL"#
        ],
        [
            "extract(EPOCH FROM hour)::BIGINT",
            r#"FROM unnest($5::BIGINT[], $6::SMALLINT[], $7::TIMESTAMPTZ[], $8::TIMESTAMPTZ[])
            AS part (site_id, region_id, "from", "to")
        JOIN rollup_hours USING (site_id, region_id)
        WHERE hour >= part."from" AND hour < part."to""#
        ];
        &days.site_ids,
        &days.region_ids,
        &days.froms,
        &days.tos,
        &hours.site_ids,
        &hours.region_ids,
        &hours.froms,
        &hours.tos,
    );
    query.fetch(connection)
}

/// Series by series.
fn checks_of_few<'c>(
    connection: &'c mut PgConnection,
    keys: &'c Keys,
    [one, other]: [Moments; 2],
    borders: &'c [DateTime<Utc>],
) -> BoxStream<'c, Result<Checks, sqlx::Error>> {
    let query = checks!(
        "metrics.checks_of_few",
        "width_bucket(scheduled_at, $7::TIMESTAMPTZ[])",
        "FROM unnest($1::BIGINT[], $2::SMALLINT[]) AS key (site_id, region_id)
        CROSS JOIN LATERAL (
            SELECT
                scheduled_at, outcome, failure_kind, status_code, content, suspect,
                dns_us, connect_us, tls_us, first_byte_us, transfer_us, total_us
            FROM check_results
            WHERE site_id = key.site_id AND region_id = key.region_id
                AND scheduled_at >= $3 AND scheduled_at < $4
            UNION ALL
            SELECT
                scheduled_at, outcome, failure_kind, status_code, content, suspect,
                dns_us, connect_us, tls_us, first_byte_us, transfer_us, total_us
            FROM check_results
            WHERE site_id = key.site_id AND region_id = key.region_id
                AND scheduled_at >= $5 AND scheduled_at < $6
        ) AS result",
        keys.site_ids(),
        keys.region_ids(),
        one.0,
        one.1,
        other.0,
        other.1,
        borders,
    );
    query.fetch(connection)
}

/// As they lie in the table.
fn checks_of_many<'c>(
    connection: &'c mut PgConnection,
    keys: &'c Keys,
    (from, to): Moments,
    borders: &'c [DateTime<Utc>],
) -> BoxStream<'c, Result<Checks, sqlx::Error>> {
    let query = checks!(
        "metrics.checks_of_many",
        "width_bucket(scheduled_at, $5::TIMESTAMPTZ[])",
        "FROM unnest($1::BIGINT[], $2::SMALLINT[]) AS key (site_id, region_id)
        JOIN check_results USING (site_id, region_id)
        WHERE scheduled_at >= $3 AND scheduled_at < $4",
        keys.site_ids(),
        keys.region_ids(),
        from,
        to,
        borders,
    );
    query.fetch(connection)
}

//! Rollups as rows.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::keys::Series;
use super::rollup::{Durations, Rollup};
use crate::copy_data::{CopyData, type_number};
use crate::error::StoreError;

/// What both tables have besides the site and the bucket, in the order in which it is written.
const COLUMNS: &str = "region_id, up, degraded, down, missed, error, suspect, \
    content_matched, content_unmatched, \
    failure_kinds, failure_counts, status_codes, status_counts, \
    dns_sum_us, dns_count, dns_min_us, dns_max_us, dns_histogram, \
    connect_sum_us, connect_count, connect_min_us, connect_max_us, connect_histogram, \
    tls_sum_us, tls_count, tls_min_us, tls_max_us, tls_histogram, \
    first_byte_sum_us, first_byte_count, first_byte_min_us, first_byte_max_us, first_byte_histogram, \
    transfer_sum_us, transfer_count, transfer_min_us, transfer_max_us, transfer_histogram, \
    total_sum_us, total_count, total_min_us, total_max_us, total_histogram";
const NUMBER_OF_COLUMNS: i16 = 45;

/// Bytes of an ordinary row; only to reserve room.
const ROW_BYTES: usize = 1_000;

/// Types of elements of arrays: `pg_type.dat` in PostgreSQL's source.
const SMALLINT: u32 = 21;
const INTEGER: u32 = 23;

/// The time that a rollup is of.
pub(super) trait Bucket: Copy {
    const TABLE: &'static str;
    const COLUMN: &'static str;

    fn write(self, data: &mut CopyData);

    /// Deletes the rows of these series and buckets.
    async fn delete(
        connection: &mut PgConnection,
        rows: &Identities<Self>,
    ) -> Result<(), sqlx::Error>;
}

/// Which rows, as columns.
#[derive(Debug)]
pub(super) struct Identities<B> {
    site_ids: Vec<i64>,
    region_ids: Vec<i16>,
    buckets: Vec<B>,
}

impl<B> Identities<B> {
    pub(super) fn push(&mut self, series: Series, bucket: B) {
        self.site_ids.push(series.site_id);
        self.region_ids.push(series.region_id);
        self.buckets.push(bucket);
    }
}

impl<B> Default for Identities<B> {
    fn default() -> Self {
        Self {
            site_ids: Vec::new(),
            region_ids: Vec::new(),
            buckets: Vec::new(),
        }
    }
}

impl Bucket for DateTime<Utc> {
    const TABLE: &'static str = "rollup_hours";
    const COLUMN: &'static str = "hour";

    fn write(self, data: &mut CopyData) {
        data.instant(self);
    }

    async fn delete(
        connection: &mut PgConnection,
        rows: &Identities<Self>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query!(
            r#"-- rollups.delete_hours
            DELETE FROM rollup_hours
            USING unnest($1::BIGINT[], $2::SMALLINT[], $3::TIMESTAMPTZ[])
                AS row (site_id, region_id, hour)
            WHERE rollup_hours.site_id = row.site_id
                AND rollup_hours.region_id = row.region_id
                AND rollup_hours.hour = row.hour"#,
            &rows.site_ids,
            &rows.region_ids,
            &rows.buckets,
        )
        .execute(connection)
        .await
        .map(drop)
    }
}

impl Bucket for NaiveDate {
    const TABLE: &'static str = "rollup_days";
    const COLUMN: &'static str = "day";

    fn write(self, data: &mut CopyData) {
        data.day(self);
    }

    async fn delete(
        connection: &mut PgConnection,
        rows: &Identities<Self>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query!(
            r#"-- rollups.delete_days
            DELETE FROM rollup_days
            USING unnest($1::BIGINT[], $2::SMALLINT[], $3::DATE[])
                AS row (site_id, region_id, day)
            WHERE rollup_days.site_id = row.site_id
                AND rollup_days.region_id = row.region_id
                AND rollup_days.day = row.day"#,
            &rows.site_ids,
            &rows.region_ids,
            &rows.buckets,
        )
        .execute(connection)
        .await
        .map(drop)
    }
}

/// Rows that will take the place of those that are there.
#[derive(Debug)]
pub(super) struct Rows<B> {
    replaced: Identities<B>,
    data: CopyData,
    failure_kind_type: u32,
    count: u64,
}

impl<B: Bucket> Rows<B> {
    /// No rows yet, in place of `replaced`.
    pub(super) async fn in_place_of(
        connection: &mut PgConnection,
        replaced: Identities<B>,
    ) -> Result<Self, StoreError> {
        let failure_kind_type = type_number(connection, "failure_kind").await?;
        let capacity = replaced.buckets.len() * ROW_BYTES;
        Ok(Self {
            replaced,
            data: CopyData::new(NUMBER_OF_COLUMNS, capacity),
            failure_kind_type,
            count: 0,
        })
    }

    /// Adds a row.
    pub(super) fn push(
        &mut self,
        series: Series,
        bucket: B,
        rollup: &Rollup,
    ) -> Result<(), StoreError> {
        self.count += 1;
        self.data.row();
        self.data.value(series.site_id.to_be_bytes());
        bucket.write(&mut self.data);
        self.data.value(series.region_id.to_be_bytes());
        let written = write(&mut self.data, rollup, self.failure_kind_type);
        written.map_err(|_| {
            let (site, table) = (series.site_id, B::TABLE);
            StoreError::Value(format!("what is counted of site {site} exceeds {table}"))
        })
    }

    /// Puts the rows into the table, in the transaction of the connection. Returns how many there
    /// are.
    pub(super) async fn replace(self, connection: &mut PgConnection) -> Result<u64, StoreError> {
        let doing = StoreError::doing;
        if !self.replaced.buckets.is_empty() {
            let deleted = B::delete(connection, &self.replaced).await;
            deleted.map_err(doing("cannot replace rollups"))?;
        }
        if self.count > 0 {
            let statement = format!(
                "COPY {} (site_id, {}, {COLUMNS}) FROM STDIN (FORMAT binary)",
                B::TABLE,
                B::COLUMN,
            );
            let copied = self.data.send(connection, &statement).await;
            copied.map_err(doing("cannot copy rollups"))?;
        }
        Ok(self.count)
    }
}

type Counted<T> = Result<T, std::num::TryFromIntError>;

fn write(data: &mut CopyData, rollup: &Rollup, failure_kind_type: u32) -> Counted<()> {
    let counts = rollup.outcomes().into_iter().chain([
        rollup.suspect,
        rollup.content_matched,
        rollup.content_unmatched,
    ]);
    for count in counts {
        data.value(i32::try_from(count)?.to_be_bytes());
    }
    let failures = rollup.failures.keys();
    data.array(failure_kind_type, failures, |data, kind| {
        data.text(kind.into());
    });
    integers(data, rollup.failures.values().copied())?;
    let codes = rollup.status_codes.keys();
    data.array(SMALLINT, codes, |data, code| data.value(code.to_be_bytes()));
    integers(data, rollup.status_codes.values().copied())?;
    for phase in &rollup.phases {
        durations(data, phase)?;
    }
    Ok(())
}

fn durations(data: &mut CopyData, phase: &Durations) -> Counted<()> {
    let end = |micros: Option<u32>| micros.map(i32::try_from).transpose();
    data.value(i64::try_from(phase.sum_us)?.to_be_bytes());
    data.value(i32::try_from(phase.histogram.count())?.to_be_bytes());
    data.number(end(phase.range_us.map(|(min, _)| min))?);
    data.number(end(phase.range_us.map(|(_, max)| max))?);
    data.bytes(|bytes| phase.histogram.pack(bytes));
    Ok(())
}

fn integers(data: &mut CopyData, numbers: impl ExactSizeIterator<Item = u64>) -> Counted<()> {
    let mut fits = Ok(());
    data.array(INTEGER, numbers, |data, number| {
        match i32::try_from(number) {
            Ok(number) => data.value(number.to_be_bytes()),
            Err(error) => fits = Err(error),
        }
    });
    fits
}

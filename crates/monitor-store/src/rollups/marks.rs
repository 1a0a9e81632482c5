//! Hours that had been over when checks of them were stored: what is rolled up of them is computed
//! again.
//!
//! Whoever stores such checks marks their hour in the same transaction, and holds the mark until its
//! end. A mark that can be taken away therefore belongs to checks that can be read.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::close::in_transaction;
use super::keys::{Keys, MOST_AT_ONCE, Series, Whose};
use super::progress::{Progress, progress};
use super::{Count, days, hours};
use crate::error::StoreError;

struct Mark {
    site_id: i64,
    region_id: i16,
    hour: DateTime<Utc>,
}

/// Computes anew what is marked, a thousand marks at a time and at most `most` times.
///
/// Marks of hours that are not closed yet stay. Marks of days whose checks were dropped are taken
/// away: what is rolled up of them is final.
pub async fn work_off_marks(connection: &mut PgConnection, most: u32) -> Result<Count, StoreError> {
    let mut count = Count::default();
    let progress = progress(connection).await?;
    if progress.hours_closed_to.is_none() {
        return Ok(count);
    }
    count.ignored_marks = drop_final(connection, &progress).await?;
    for _ in 0..most {
        let done = in_transaction(connection, async |connection| {
            work_off(connection, &progress).await
        })
        .await?;
        count += done;
        if done.marks < MOST_AT_ONCE as u64 {
            return Ok(count);
        }
    }
    count.more = true;
    Ok(count)
}

/// Takes away the marks of an hour that is about to be computed as a whole.
pub(super) async fn discard(
    connection: &mut PgConnection,
    hour: DateTime<Utc>,
) -> Result<(), StoreError> {
    // Those that somebody holds belong to checks that cannot be read yet, and stay.
    sqlx::query!(
        r#"-- rollups.discard_marks
        DELETE FROM dirty_hours
        WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM dirty_hours WHERE hour = $1 FOR UPDATE SKIP LOCKED
        ))"#,
        hour
    )
    .execute(connection)
    .await
    .map(drop)
    .map_err(StoreError::doing("cannot take marks away"))
}

async fn drop_final(connection: &mut PgConnection, progress: &Progress) -> Result<u64, StoreError> {
    let Some(final_to) = progress.final_to() else {
        return Ok(0);
    };
    let done = sqlx::query!(
        r#"-- rollups.drop_final_marks
        DELETE FROM dirty_hours WHERE hour < $1"#,
        final_to
    )
    .execute(connection)
    .await
    .map_err(StoreError::doing("cannot take marks away"))?;
    Ok(done.rows_affected())
}

/// Takes marks and computes what they stand for, in the transaction of the connection.
async fn work_off(connection: &mut PgConnection, progress: &Progress) -> Result<Count, StoreError> {
    let marks = take(connection, progress).await?;
    if marks.is_empty() {
        return Ok(Count::default());
    }
    let mut by_hour: BTreeMap<DateTime<Utc>, BTreeSet<Series>> = BTreeMap::new();
    let mut by_day: BTreeMap<NaiveDate, BTreeSet<Series>> = BTreeMap::new();
    for mark in &marks {
        let series = Series {
            site_id: mark.site_id,
            region_id: mark.region_id,
        };
        by_hour.entry(mark.hour).or_default().insert(series);
        let day = mark.hour.date_naive();
        if progress
            .days_closed_to
            .is_some_and(|closed_to| day < closed_to)
        {
            by_day.entry(day).or_default().insert(series);
        }
    }
    let keys = |series: BTreeSet<Series>| series.into_iter().collect::<Keys>();
    let by_hour: Vec<_> = by_hour
        .into_iter()
        .map(|(hour, series)| (hour, Whose::Series(keys(series))))
        .collect();
    let work: Vec<_> = by_hour.iter().map(|(hour, whose)| (*hour, whose)).collect();
    let mut count = hours::compute(connection, &work).await?;
    for (day, series) in by_day {
        count += days::compute(connection, day, &keys(series)).await?;
    }
    count.marks = marks.len() as u64;
    Ok(count)
}

/// Takes the oldest marks of closed hours that nobody holds.
async fn take(connection: &mut PgConnection, progress: &Progress) -> Result<Vec<Mark>, StoreError> {
    let limit = i64::try_from(MOST_AT_ONCE).unwrap_or(i64::MAX);
    sqlx::query_as!(
        Mark,
        r#"-- rollups.take_marks
        DELETE FROM dirty_hours
        WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM dirty_hours
            WHERE hour < $1
            ORDER BY hour, site_id, region_id
            LIMIT $2
            FOR UPDATE SKIP LOCKED
        ))
        RETURNING site_id, region_id, hour"#,
        progress.hours_closed_to,
        limit,
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing("cannot take marks"))
}

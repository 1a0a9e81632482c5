//! What is not kept for ever.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::days::begin;
use super::progress::{self, progress};
use crate::error::StoreError;
use crate::partitions;

/// Drops the checks of all days before `before`, and returns the days. What is not rolled up yet
/// stays, however old.
///
/// What is rolled up of those days is final from then on. The connection must not be in a
/// transaction.
pub async fn drop_checks_before(
    connection: &mut PgConnection,
    before: NaiveDate,
) -> Result<Vec<NaiveDate>, StoreError> {
    let Some(rolled_up_to) = rolled_up_to(connection).await? else {
        return Ok(Vec::new());
    };
    let before = before.min(rolled_up_to);
    if partitions::expired(connection, before).await?.is_empty() {
        return Ok(Vec::new());
    }
    // First, so that nobody computes anew what is half dropped.
    progress::raw_begins(connection, before).await?;
    partitions::drop_expired(connection, before).await
}

/// The first day that is not closed or has marks.
async fn rolled_up_to(connection: &mut PgConnection) -> Result<Option<NaiveDate>, StoreError> {
    let closed_to = progress(connection).await?.days_closed_to;
    let first_mark = sqlx::query_scalar!(
        r#"-- rollups.first_mark
        SELECT min(hour) FROM dirty_hours"#
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::doing("cannot look for marks"))?;
    Ok(match (closed_to, first_mark) {
        (Some(closed_to), Some(mark)) => Some(closed_to.min(mark.date_naive())),
        (closed_to, _) => closed_to,
    })
}

/// Deletes the rollups of days before `before`, at most so many hours of them at a time. Returns how
/// many rows that were, and whether there are more.
pub async fn delete_before(
    connection: &mut PgConnection,
    before: NaiveDate,
    most_hours: u32,
) -> Result<(u64, bool), StoreError> {
    let doing = StoreError::doing("cannot delete old rollups");
    let mut deleted = delete_days(connection, before).await.map_err(doing)?;
    for _ in 0..most_hours {
        let doing = StoreError::doing("cannot delete old rollups");
        let hour = delete_oldest_hour(connection, begin(before)).await;
        match hour.map_err(doing)? {
            0 => return Ok((deleted, false)),
            rows => deleted += rows,
        }
    }
    Ok((deleted, true))
}

async fn delete_days(connection: &mut PgConnection, before: NaiveDate) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        r#"-- rollups.delete_old_days
        DELETE FROM rollup_days WHERE day < $1"#,
        before
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

async fn delete_oldest_hour(
    connection: &mut PgConnection,
    before: DateTime<Utc>,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        r#"-- rollups.delete_old_hour
        DELETE FROM rollup_hours
        WHERE hour = (SELECT min(hour) FROM rollup_hours WHERE hour < $1)"#,
        before
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

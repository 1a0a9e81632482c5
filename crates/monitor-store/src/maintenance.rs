//! What one of all sinks does for all of them from time to time: partitions, rollups, retention.
//!
//! Each step is safe to interrupt and to repeat, and says whether there is more to do than it did.
//! Only who holds the [`lock`](try_lock) may take them: two at once would compute the same twice,
//! and could put the older result over the newer.

use chrono::{DateTime, Days, NaiveDate, Utc};
use sqlx::PgConnection;

use crate::error::StoreError;
use crate::partitions;
use crate::rollups::{self, Count};

/// Days for which partitions are made ahead.
const DAYS_AHEAD: u16 = 7;
/// Most hours that are closed in one step: a day, so that a long absence is made up for in parts.
const HOURS_AT_ONCE: u32 = 24;
/// Most days that are closed in one step.
const DAYS_AT_ONCE: u32 = 7;
/// Most times that a thousand marks are worked off in one step.
const MARKS_AT_ONCE: u32 = 100;
/// Most hours whose rollups are deleted in one step.
const DELETED_AT_ONCE: u32 = 48;

/// The lock is one number for the whole database: "rollups" in ASCII.
const LOCK: i64 = 0x0072_6f6c_6c75_7073;

/// How many days are kept; `None` is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Checks, besides today's.
    pub raw_days: Option<u64>,
    /// What they came to.
    pub rollup_days: Option<u64>,
}

/// Takes the lock unless somebody else has it. It is held until the end of the connection,
/// which must be a session of its own: not one of a pooler.
pub async fn try_lock(connection: &mut PgConnection) -> Result<bool, StoreError> {
    sqlx::query_scalar!(
        r#"-- maintenance.try_lock
        SELECT pg_try_advisory_lock($1) AS "locked!""#,
        LOCK
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::doing("cannot ask for the lock of maintenance"))
}

/// How things stand, for whoever watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The time, by the database's clock.
    pub now: DateTime<Utc>,
    /// Every hour before it is rolled up; `None` before the first.
    pub hours_closed_to: Option<DateTime<Utc>>,
    /// Hours of a site and region that wait for being computed again.
    pub marks: i64,
}

/// Reads how things stand. For this, the lock is not needed.
pub async fn status(connection: &mut PgConnection) -> Result<Status, StoreError> {
    sqlx::query_as!(
        Status,
        r#"-- maintenance.status
        SELECT
            now() AS "now!", hours_closed_to, (SELECT count(*) FROM dirty_hours) AS "marks!"
        FROM rollup_progress"#
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::doing("cannot read the status of maintenance"))
}

/// Makes partitions ahead, so that no batch has to wait for one.
pub async fn make_partitions(connection: &mut PgConnection) -> Result<(), StoreError> {
    partitions::ensure_ahead(connection, DAYS_AHEAD).await
}

/// Brings the rollups up to date.
pub async fn roll_up(connection: &mut PgConnection) -> Result<Count, StoreError> {
    let now = status(connection).await?.now;
    let mut count = rollups::close_hours(connection, now, HOURS_AT_ONCE).await?;
    count += rollups::work_off_marks(connection, MARKS_AT_ONCE).await?;
    count += rollups::close_days(connection, DAYS_AT_ONCE).await?;
    Ok(count)
}

/// What was too old.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// The days whose checks were dropped.
    pub days: Vec<NaiveDate>,
    /// How many rows of rollups were deleted.
    pub rollups: u64,
    /// Whether there are more of them.
    pub more: bool,
}

/// Drops and deletes what is not to be kept any longer.
pub async fn expire(
    connection: &mut PgConnection,
    retention: Retention,
) -> Result<Expired, StoreError> {
    let today = partitions::today(connection).await?;
    let first = |days: Option<u64>| today.checked_sub_days(Days::new(days?));
    let mut expired = Expired::default();
    if let Some(day) = first(retention.raw_days) {
        expired.days = rollups::drop_checks_before(connection, day).await?;
    }
    if let Some(day) = first(retention.rollup_days) {
        let deleted = rollups::delete_before(connection, day, DELETED_AT_ONCE).await?;
        (expired.rollups, expired.more) = deleted;
    }
    Ok(expired)
}

/// Packs the key of the oldest day that is closed and takes more room than it needs; returns the
/// day.
pub async fn pack(connection: &mut PgConnection) -> Result<Option<NaiveDate>, StoreError> {
    let Some(closed_to) = rollups::progress(connection).await?.days_closed_to else {
        return Ok(None);
    };
    let loose = partitions::loose(connection, closed_to).await?;
    let day = loose.first().copied();
    if let Some(day) = day {
        partitions::pack(connection, day).await?;
    }
    Ok(day)
}

/// Makes the index of checks that were down for the latest day that lacks it; returns the day. There
/// are such days after an upgrade only.
pub async fn index_down(connection: &mut PgConnection) -> Result<Option<NaiveDate>, StoreError> {
    let days = partitions::without_index_of_down(connection).await?;
    let day = days.last().copied();
    if let Some(day) = day {
        partitions::index_down(connection, day).await?;
    }
    Ok(day)
}

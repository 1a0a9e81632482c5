//! How far checks have been rolled up.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::days::begin;
use crate::error::StoreError;

/// How far checks have been rolled up, and from when on it could be done again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Every hour before it is closed; `None` before the first.
    pub hours_closed_to: Option<DateTime<Utc>>,
    /// Every day before it is closed; `None` before the first.
    pub days_closed_to: Option<NaiveDate>,
    /// The checks of days before it were dropped; `None` when none were.
    pub raw_from: Option<NaiveDate>,
}

impl Progress {
    /// The instant before which hours are final, because their checks were dropped.
    #[must_use]
    pub fn final_to(&self) -> Option<DateTime<Utc>> {
        self.raw_from.map(begin)
    }
}

/// Reads how far they are.
pub async fn progress(connection: &mut PgConnection) -> Result<Progress, StoreError> {
    sqlx::query_as!(
        Progress,
        r#"-- rollups.progress
        SELECT hours_closed_to, days_closed_to, raw_from FROM rollup_progress"#
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::doing("cannot read how far the rollups are"))
}

pub(super) async fn hours_are_closed_to(
    connection: &mut PgConnection,
    to: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"-- rollups.hours_closed
        UPDATE rollup_progress SET hours_closed_to = $1"#,
        to
    )
    .execute(connection)
    .await
    .map(drop)
    .map_err(StoreError::doing("cannot note how far the rollups are"))
}

pub(super) async fn days_are_closed_to(
    connection: &mut PgConnection,
    to: NaiveDate,
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"-- rollups.days_closed
        UPDATE rollup_progress SET days_closed_to = $1"#,
        to
    )
    .execute(connection)
    .await
    .map(drop)
    .map_err(StoreError::doing("cannot note how far the rollups are"))
}

/// What is rolled up of days before `day` is final from now on.
pub(super) async fn raw_begins(
    connection: &mut PgConnection,
    day: NaiveDate,
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"-- rollups.raw_from
        UPDATE rollup_progress SET raw_from = greatest(raw_from, $1)"#,
        day
    )
    .execute(connection)
    .await
    .map(drop)
    .map_err(StoreError::doing("cannot note which rollups are final"))
}

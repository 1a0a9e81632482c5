//! Computing anew whatever can be: what comes out is what was there, unless somebody changed it.

use std::ops::Range;

use chrono::{DateTime, Days, DurationRound as _, NaiveDate, TimeDelta, Utc};
use sqlx::PgConnection;

use super::Count;
use super::close::{compute_day, compute_hours, hours_of_day};
use super::days::begin;
use super::progress::progress;
use crate::error::StoreError;
use crate::partitions;

/// What of a range can be computed anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuild {
    /// Begins of the first hour, and of the hour after the last.
    pub hours: Range<DateTime<Utc>>,
    /// The days of which there are checks.
    days: Vec<NaiveDate>,
    days_closed_to: Option<NaiveDate>,
}

/// What can be computed anew of the hours from `from` to `to`; `None` of either is all there is.
///
/// That is what is closed and has its checks still. Of a day whose checks were dropped, by retention
/// or by hand, what is rolled up is all that is left, and stays.
pub async fn plan_rebuild(
    connection: &mut PgConnection,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
) -> Result<Rebuild, StoreError> {
    let progress = progress(connection).await?;
    let days = partitions::days(connection).await?;
    let days: Vec<_> = days
        .into_iter()
        .filter(|day| progress.raw_from.is_none_or(|raw_from| *day >= raw_from))
        .collect();
    let first = days.first().map(|day| begin(*day));
    let whole = |at: DateTime<Utc>| at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at);
    let start = from.map(whole).max(first);
    // An hour that `to` is in the middle of is computed too.
    let last = to.map(|to| whole(to - TimeDelta::nanoseconds(1)) + TimeDelta::hours(1));
    let end = match (last, progress.hours_closed_to) {
        (Some(last), Some(closed_to)) => Some(last.min(closed_to)),
        (_, closed_to) => closed_to,
    };
    let nothing = DateTime::UNIX_EPOCH..DateTime::UNIX_EPOCH;
    let hours = start.zip(end).filter(|(start, end)| start < end);
    Ok(Rebuild {
        hours: hours.map_or(nothing, |(start, end)| start..end),
        days,
        days_closed_to: progress.days_closed_to,
    })
}

impl Rebuild {
    /// Its days, in order.
    pub fn days(&self) -> impl Iterator<Item = NaiveDate> {
        let days = self.days.iter().copied();
        days.filter(|day| {
            begin(*day) < self.hours.end && begin(*day + Days::new(1)) > self.hours.start
        })
    }

    /// Computes the hours of one of its days anew, and the day itself if it is closed.
    pub async fn day(
        &self,
        connection: &mut PgConnection,
        day: NaiveDate,
    ) -> Result<Count, StoreError> {
        let mut count = Count::default();
        let first = begin(day).max(self.hours.start);
        let hours = hours_of_day(first).filter(|hour| *hour < self.hours.end);
        count += compute_hours(connection, &hours.collect::<Vec<_>>()).await?;
        if self.days_closed_to.is_some_and(|closed_to| day < closed_to) {
            count += compute_day(connection, day).await?;
        }
        Ok(count)
    }
}

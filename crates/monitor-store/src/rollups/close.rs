//! Closing what is over: every series of an hour, or of a day, computed once.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use sqlx::{Connection as _, PgConnection};

use super::days::begin;
use super::keys::{self, MOST_AT_ONCE, Whose};
use super::progress::{self, progress};
use super::{Count, days, hours, marks};
use crate::error::StoreError;
use crate::partitions;

/// How long an hour stays open after its end. Who stores checks without marking their hour began
/// before that end, and is cut off by its deadlines well within this time.
pub const SETTLING: TimeDelta = TimeDelta::minutes(2);

/// Most days that are put together from their hours in one transaction: each is held in memory, some
/// 20 KB large.
const MOST_DAYS_AT_ONCE: usize = 250;

/// Most series of which an hour is computed in one transaction. The database holds some 4 KB for
/// each, of sites that are checked once a minute.
const MOST_SERIES_AT_ONCE: usize = 10_000;

/// What begins a transaction of maintenance: nobody waits for it, but it may hold up a writer of
/// late checks. Each statement is planned for the series at hand, many or few; is never worth to be
/// compiled; and may group the series of an hour in memory.
const BEGIN: &str = "BEGIN; SET LOCAL statement_timeout = '60s'; SET LOCAL lock_timeout = '5s'; \
    SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL jit = off; \
    SET LOCAL work_mem = '64MB'";

/// Closes the hours that were over at `now`, oldest first, at most so many. Hours of days without a
/// partition have no checks, and are passed over.
///
/// After an error the hour at hand is not closed, and will be computed again.
pub async fn close_hours(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    most: u32,
) -> Result<Count, StoreError> {
    let mut count = Count::default();
    let days = partitions::days(connection).await?;
    let mut open = progress(connection).await?.hours_closed_to;
    while let Some(first) = next_hour(open, &days) {
        let over = hours_of_day(first).filter(|hour| end_of(*hour) + SETTLING <= now);
        let over: Vec<_> = over.collect();
        let rest = u64::from(most) - count.closed_hours;
        let (hours, left) = over.split_at(over.len().min(usize::try_from(rest).unwrap_or(0)));
        count.more = !left.is_empty();
        let Some(last) = hours.last() else { break };
        for hour in hours {
            marks::discard(connection, *hour).await?;
        }
        count += compute_hours(connection, hours).await?;
        progress::hours_are_closed_to(connection, end_of(*last)).await?;
        count.closed_hours += hours.len() as u64;
        open = Some(end_of(*last));
    }
    Ok(count)
}

fn end_of(hour: DateTime<Utc>) -> DateTime<Utc> {
    hour + TimeDelta::hours(1)
}

/// From this hour to the last of the same day.
pub(super) fn hours_of_day(first: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
    let same_day = move |hour: &DateTime<Utc>| hour.date_naive() == first.date_naive();
    std::iter::successors(Some(first), |hour| Some(end_of(*hour))).take_while(same_day)
}

/// The first hour at or after `open` of one of the days, which are in order.
fn next_hour(open: Option<DateTime<Utc>>, days: &[NaiveDate]) -> Option<DateTime<Utc>> {
    let open = open.unwrap_or_default();
    let day = days.iter().find(|day| **day >= open.date_naive())?;
    Some(open.max(begin(*day)))
}

/// Closes the days whose hours are all closed, oldest first, at most so many. Days without checks
/// are passed over.
pub async fn close_days(connection: &mut PgConnection, most: u32) -> Result<Count, StoreError> {
    let mut count = Count::default();
    let progress = progress(connection).await?;
    let Some(end) = progress.hours_closed_to.map(|to| to.date_naive()) else {
        return Ok(count);
    };
    let mut open = progress.days_closed_to;
    while let Some(day) = next_day(connection, open).await?.filter(|day| *day < end) {
        if count.closed_days == u64::from(most) {
            count.more = true;
            return Ok(count);
        }
        count += compute_day(connection, day).await?;
        let next = day + Days::new(1);
        progress::days_are_closed_to(connection, next).await?;
        count.closed_days += 1;
        open = Some(next);
    }
    progress::days_are_closed_to(connection, end).await?;
    Ok(count)
}

/// The first day at or after `open` that has hours.
async fn next_day(
    connection: &mut PgConnection,
    open: Option<NaiveDate>,
) -> Result<Option<NaiveDate>, StoreError> {
    let first = sqlx::query_scalar!(
        r#"-- rollups.next_hour
        SELECT min(hour) FROM rollup_hours WHERE hour >= $1"#,
        begin(open.unwrap_or_default())
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::doing("cannot look for the next rollup"))?;
    Ok(first.map(|hour| hour.date_naive()))
}

/// Computes some hours of a day of every series; of few series, many hours in one transaction.
pub(super) async fn compute_hours(
    connection: &mut PgConnection,
    hours: &[DateTime<Utc>],
) -> Result<Count, StoreError> {
    let mut count = Count::default();
    if let Some(hour) = hours.first() {
        in_transaction(connection, async |connection| {
            partitions::cover_new_rows(connection, hour.date_naive()).await
        })
        .await?;
    }
    let mut after = None;
    while let Some((sites, series)) =
        keys::next_sites(connection, after, MOST_SERIES_AT_ONCE).await?
    {
        after = Some(*sites.end());
        let sites = Whose::Sites(sites);
        for hours in hours.chunks((MOST_AT_ONCE / series).max(1)) {
            let work: Vec<_> = hours.iter().map(|hour| (*hour, &sites)).collect();
            count += in_transaction(connection, async |connection| {
                hours::compute(connection, &work).await
            })
            .await?;
        }
    }
    Ok(count)
}

/// Computes a day of every series.
pub(super) async fn compute_day(
    connection: &mut PgConnection,
    day: NaiveDate,
) -> Result<Count, StoreError> {
    let mut count = Count::default();
    let mut after = None;
    loop {
        let keys = keys::next(connection, after, MOST_DAYS_AT_ONCE).await?;
        after = keys.last();
        if after.is_none() {
            return Ok(count);
        }
        count += in_transaction(connection, async |connection| {
            days::compute(connection, day, &keys).await
        })
        .await?;
    }
}

pub(super) async fn in_transaction<T>(
    connection: &mut PgConnection,
    work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let doing = StoreError::doing;
    let mut transaction = connection
        .begin_with(BEGIN)
        .await
        .map_err(doing("cannot begin"))?;
    let done = work(&mut transaction).await?;
    transaction
        .commit()
        .await
        .map_err(doing("cannot commit rollups"))?;
    Ok(done)
}

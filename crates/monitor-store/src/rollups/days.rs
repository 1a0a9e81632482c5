//! Days from hours.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use futures_util::TryStreamExt as _;
use sqlx::PgConnection;

use super::Count;
use super::keys::Keys;
use super::rollup::Rollup;
use super::row::rollup_rows;
use super::write::{Identities, Rows};
use crate::error::StoreError;

/// Computes these series on one day anew, in the transaction of the connection: the only way to a
/// row of `rollup_days`.
pub(super) async fn compute(
    connection: &mut PgConnection,
    day: NaiveDate,
    keys: &Keys,
) -> Result<Count, StoreError> {
    let mut identities = Identities::default();
    keys.iter().for_each(|series| identities.push(series, day));
    let mut rows = Rows::in_place_of(connection, identities).await?;
    let rollups = read(connection, day, keys).await?;
    for (series, rollup) in keys.iter().zip(&rollups) {
        if rollup.checks() > 0 {
            rows.push(series, day, rollup)?;
        }
    }
    Ok(Count {
        days: rows.replace(connection).await?,
        ..Count::default()
    })
}

/// The begin of a day in UTC.
pub(crate) fn begin(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// What the hours of the day come to, for each of the series.
async fn read(
    connection: &mut PgConnection,
    day: NaiveDate,
    keys: &Keys,
) -> Result<Vec<Rollup>, StoreError> {
    let mut hours = rollup_rows!(
        "rollups.read_hours",
        [
            "series",
            "FROM unnest($1::BIGINT[], $2::SMALLINT[])
            WITH ORDINALITY AS key (site_id, region_id, series)
        JOIN rollup_hours USING (site_id, region_id)
        WHERE hour >= $3 AND hour < $4"
        ];
        keys.site_ids(),
        keys.region_ids(),
        begin(day),
        begin(day) + TimeDelta::days(1),
    )
    .fetch(connection);
    let mut rollups = vec![Rollup::default(); keys.len()];
    while let Some(hour) = hours
        .try_next()
        .await
        .map_err(StoreError::doing("cannot read the hours of a day"))?
    {
        let index = usize::try_from(hour.key - 1).unwrap_or(usize::MAX);
        if let Some(rollup) = rollups.get_mut(index) {
            hour.add_to(rollup)?;
        }
    }
    Ok(rollups)
}

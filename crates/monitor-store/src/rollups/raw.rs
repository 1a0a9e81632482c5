//! The checks of one hour, put together by site and added up.

use std::ops::RangeInclusive;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use sqlx::PgConnection;

use super::keys::{Keys, Series, Whose};
use super::packed::{Checks, checks};
use super::rollup::Rollup;
use crate::error::StoreError;

/// Calls `each` with what the checks of each of these series came to in the hour that begins then,
/// for those that had any. Returns how many checks that were.
pub(super) async fn read_hour(
    connection: &mut PgConnection,
    hour: DateTime<Utc>,
    whose: &Whose,
    mut each: impl FnMut(Series, &Rollup) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let mut rows = match whose {
        Whose::Sites(sites) => of_sites(connection, hour, sites),
        Whose::Series(keys) => of_series(connection, hour, keys),
    };
    let (mut read, mut rollup) = (0, Rollup::default());
    while let Some(checks) = rows
        .try_next()
        .await
        .map_err(StoreError::doing("cannot read the checks of an hour"))?
    {
        rollup.clear();
        checks.add_to(&mut rollup)?;
        each(series(&checks)?, &rollup)?;
        read += rollup.checks();
    }
    Ok(read)
}

/// The series that the checks are of.
fn series(checks: &Checks) -> Result<Series, StoreError> {
    let wrong = || StoreError::Value(format!("checks of the series {:?}", checks.key));
    let [site_id, region_id] = checks.key[..] else {
        return Err(wrong());
    };
    let region_id = i16::try_from(region_id).map_err(|_| wrong())?;
    Ok(Series { site_id, region_id })
}

/// As they lie in the table, all sites mixed: to look up each site's by the key costs much more.
fn of_sites<'c>(
    connection: &'c mut PgConnection,
    hour: DateTime<Utc>,
    sites: &'c RangeInclusive<i64>,
) -> BoxStream<'c, Result<Checks, sqlx::Error>> {
    let query = checks!(
        "rollups.read_checks",
        "site_id, region_id",
        "FROM check_results
            WHERE site_id BETWEEN $1 AND $2 AND scheduled_at >= $3 AND scheduled_at < $4",
        sites.start(),
        sites.end(),
        hour,
        hour + TimeDelta::hours(1)
    );
    query.fetch(connection)
}

/// Series by series.
fn of_series<'c>(
    connection: &'c mut PgConnection,
    hour: DateTime<Utc>,
    keys: &'c Keys,
) -> BoxStream<'c, Result<Checks, sqlx::Error>> {
    let query = checks!(
        "rollups.read_checks_of_series",
        "site_id, region_id",
        "FROM unnest($1::BIGINT[], $2::SMALLINT[]) AS key (site_id, region_id)
            JOIN check_results USING (site_id, region_id)
            WHERE scheduled_at >= $3 AND scheduled_at < $4",
        keys.site_ids(),
        keys.region_ids(),
        hour,
        hour + TimeDelta::hours(1)
    );
    query.fetch(connection)
}

//! Hours from checks.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::Count;
use super::keys::Whose;
use super::raw;
use super::write::{Identities, Rows};
use crate::error::StoreError;

/// Computes these series in one hour anew, in the transaction of the connection: the only way to a
/// row of `rollup_hours`.
pub(super) async fn compute(
    connection: &mut PgConnection,
    work: &[(DateTime<Utc>, &Whose)],
) -> Result<Count, StoreError> {
    let mut replaced = Identities::default();
    for (hour, whose) in work {
        match whose {
            Whose::Sites(sites) => delete(connection, *hour, sites).await?,
            Whose::Series(keys) => keys.iter().for_each(|series| replaced.push(series, *hour)),
        }
    }
    let mut rows = Rows::in_place_of(connection, replaced).await?;
    let mut checks = 0;
    for (hour, whose) in work {
        let push = |series, rollup: &_| rows.push(series, *hour, rollup);
        checks += raw::read_hour(connection, *hour, whose, push).await?;
    }
    Ok(Count {
        checks,
        hours: rows.replace(connection).await?,
        ..Count::default()
    })
}

/// Deletes what is known of an hour of these sites.
async fn delete(
    connection: &mut PgConnection,
    hour: DateTime<Utc>,
    sites: &RangeInclusive<i64>,
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"-- rollups.delete_hour
        DELETE FROM rollup_hours WHERE hour = $1 AND site_id BETWEEN $2 AND $3"#,
        hour,
        sites.start(),
        sites.end(),
    )
    .execute(connection)
    .await
    .map(drop)
    .map_err(StoreError::doing("cannot replace rollups"))
}

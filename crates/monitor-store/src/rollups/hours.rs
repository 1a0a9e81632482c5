//! Hours from checks.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::Count;
use super::keys::{Keys, Series};
use super::raw;
use super::write::{Identities, Rows};
use crate::error::StoreError;

/// Computes these series in one hour anew, in the transaction of the connection: the only way to a
/// row of `rollup_hours`.
pub(super) async fn compute(
    connection: &mut PgConnection,
    work: &[(DateTime<Utc>, &Keys)],
) -> Result<Count, StoreError> {
    let mut identities = Identities::default();
    for (hour, keys) in work {
        for series in keys.iter() {
            identities.push(series, *hour);
        }
    }
    let mut rows = Rows::in_place_of(connection, identities).await?;
    let mut checks = 0;
    for (hour, keys) in work {
        let mut pushed = Ok(());
        let push = |series: Series, rollup: &_| {
            if pushed.is_ok() {
                pushed = rows.push(series, *hour, rollup);
            }
        };
        checks += raw::read_hour(connection, *hour, keys, push).await?;
        pushed?;
    }
    let hours = rows.replace(connection).await?;
    Ok(Count {
        checks,
        hours,
        ..Count::default()
    })
}

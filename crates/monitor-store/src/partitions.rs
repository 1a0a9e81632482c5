//! The partitions of `checks`: one for each day in UTC.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use sqlx::PgConnection;

use crate::error::StoreError;

/// Creates the partitions of `days` that are missing, in the order of the days, each in a
/// transaction of its own unless the connection is in one. Safe when others do the same.
pub async fn ensure(
    connection: &mut PgConnection,
    days: impl IntoIterator<Item = NaiveDate>,
) -> Result<(), StoreError> {
    for day in days.into_iter().collect::<BTreeSet<_>>() {
        sqlx::query!(
            r#"-- partitions.ensure
            SELECT create_checks_partition($1)"#,
            day
        )
        .execute(&mut *connection)
        .await
        .map_err(StoreError::doing("cannot create a partition of checks"))?;
    }
    Ok(())
}

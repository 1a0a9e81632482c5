//! The partitions of `check_results`: one for each day in UTC.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use sqlx::{AssertSqlSafe, PgConnection};

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
            SELECT create_check_results_partition($1)"#,
            day
        )
        .execute(&mut *connection)
        .await
        .map_err(StoreError::doing(
            "cannot create a partition of check_results",
        ))?;
    }
    Ok(())
}

/// Creates the partitions of today, by the database's clock, and of `days` more, so that no batch
/// has to.
pub async fn ensure_ahead(connection: &mut PgConnection, days: u16) -> Result<(), StoreError> {
    let today = today(connection).await?;
    let ahead = (0..=days).filter_map(|day| today.checked_add_days(Days::new(day.into())));
    ensure(connection, ahead).await
}

/// Today in UTC, by the database's clock.
pub async fn today(connection: &mut PgConnection) -> Result<NaiveDate, StoreError> {
    sqlx::query_scalar!(
        r#"-- partitions.today
        SELECT (now() AT TIME ZONE 'UTC')::DATE AS "today!""#
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::doing("cannot ask for the date"))
}

/// The days that have a partition, in order; also those that were detached but not dropped, because
/// something came between.
pub async fn days(connection: &mut PgConnection) -> Result<Vec<NaiveDate>, StoreError> {
    sqlx::query_scalar!(
        r#"-- partitions.days
        SELECT to_date(right(relname, 8), 'YYYYMMDD') AS "day!"
        FROM pg_class
        WHERE relkind = 'r'
            AND relnamespace = current_schema()::regnamespace
            AND relname ~ '^check_results_[0-9]{8}$'
        ORDER BY relname"#
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing(
        "cannot list the partitions of check_results",
    ))
}

/// Those before `before`.
pub async fn expired(
    connection: &mut PgConnection,
    before: NaiveDate,
) -> Result<Vec<NaiveDate>, StoreError> {
    let days = days(connection).await?;
    Ok(days.into_iter().filter(|day| *day < before).collect())
}

/// Drops the partitions of all days before `before`, one after the other, and returns their days.
///
/// Nobody who reads or writes other days has to wait; what this waits for, it waits for no longer
/// than the connection's `lock_timeout`, and can be tried again. The connection must not be in a
/// transaction, and nobody else may do the same at the same time.
pub async fn drop_expired(
    connection: &mut PgConnection,
    before: NaiveDate,
) -> Result<Vec<NaiveDate>, StoreError> {
    let days = expired(connection, before).await?;
    for day in &days {
        let partition = partition(*day);
        if let Some(detach) = detach(connection, &partition).await? {
            let detaching = StoreError::doing("cannot detach a partition of check_results");
            run(connection, detach).await.map_err(detaching)?;
        }
        let dropping = StoreError::doing("cannot drop a partition of check_results");
        let drop = format!("DROP TABLE {partition}");
        run(connection, drop).await.map_err(dropping)?;
    }
    Ok(days)
}

/// How to detach a partition, or to finish what was interrupted; `None` when it is detached.
async fn detach(
    connection: &mut PgConnection,
    partition: &str,
) -> Result<Option<String>, StoreError> {
    let pending = sqlx::query_scalar!(
        r#"-- partitions.detach_pending
        SELECT inhdetachpending FROM pg_inherits
        WHERE inhrelid = to_regclass($1) AND inhparent = 'check_results'::regclass"#,
        partition
    )
    .fetch_optional(connection)
    .await
    .map_err(StoreError::doing(
        "cannot look at a partition of check_results",
    ))?;
    let how = pending.map(|pending| if pending { "FINALIZE" } else { "CONCURRENTLY" });
    Ok(how.map(|how| format!("ALTER TABLE check_results DETACH PARTITION {partition} {how}")))
}

/// The days before `before` whose primary key takes more room than it needs, in order. A day's rows
/// come in the order of time and fill the pages of the key only by half.
pub async fn loose(
    connection: &mut PgConnection,
    before: NaiveDate,
) -> Result<Vec<NaiveDate>, StoreError> {
    let days = sqlx::query_scalar!(
        r#"-- partitions.loose
        SELECT to_date(right(day.relname, 8), 'YYYYMMDD') AS "day!"
        FROM pg_inherits
        JOIN pg_class AS day ON day.oid = inhrelid
        JOIN pg_index ON indrelid = day.oid AND indisprimary
        JOIN pg_class AS key ON key.oid = indexrelid
        WHERE inhparent = 'check_results'::regclass
            AND NOT inhdetachpending
            AND pg_relation_size(key.oid) > greatest($1::DOUBLE PRECISION * key.reltuples, $2)
        ORDER BY day.relname"#,
        LOOSE_BYTES,
        SMALL_BYTES
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing(
        "cannot look at the keys of check_results",
    ))?;
    Ok(days.into_iter().filter(|day| *day < before).collect())
}

/// Has the index of a day's times cover all of its rows. Otherwise the server does so about once a
/// minute, and until then reads all new rows for any of them. To be called in a transaction.
pub(crate) async fn cover_new_rows(
    connection: &mut PgConnection,
    day: NaiveDate,
) -> Result<(), StoreError> {
    sqlx::query!(
        r#"-- partitions.cover_new_rows
        SELECT brin_summarize_new_values(index.oid)
        FROM pg_index
        JOIN pg_class AS index ON index.oid = indexrelid
        JOIN pg_am ON pg_am.oid = index.relam
        WHERE indrelid = to_regclass($1) AND amname = 'brin'"#,
        partition(day)
    )
    .fetch_all(connection)
    .await
    .map(drop)
    .map_err(StoreError::doing(
        "cannot bring the index of a partition up to date",
    ))
}

/// More bytes of the primary key for a row than when it is packed, which is 40.
const LOOSE_BYTES: f64 = 50.0;
/// Size of a primary key that is not worth it.
const SMALL_BYTES: f64 = 65_536.0;

/// Packs the primary key of a day, while others read and write. Worth it once no more rows are
/// expected. The connection must not be in a transaction.
pub async fn pack(connection: &mut PgConnection, day: NaiveDate) -> Result<(), StoreError> {
    let packing = StoreError::doing;
    let key = format!("{}_pkey", partition(day));
    // What an attempt that was interrupted has left behind.
    let leftover = format!("DROP INDEX IF EXISTS {key}_ccnew, {key}_ccold");
    run(connection, leftover)
        .await
        .map_err(packing("cannot drop an unfinished key"))?;
    let reindex = format!("REINDEX INDEX CONCURRENTLY {key}");
    run(connection, reindex)
        .await
        .map_err(packing("cannot pack the key of a partition"))
}

/// The days whose checks that were down have no index yet, in order: their partitions were made before
/// that index was part of the schema.
pub async fn without_index_of_down(
    connection: &mut PgConnection,
) -> Result<Vec<NaiveDate>, StoreError> {
    sqlx::query_scalar!(
        r#"-- partitions.without_index_of_down
        SELECT to_date(right(day.relname, 8), 'YYYYMMDD') AS "day!"
        FROM pg_inherits
        JOIN pg_class AS day ON day.oid = inhrelid
        WHERE inhparent = 'check_results'::regclass
            AND NOT inhdetachpending
            AND NOT EXISTS (
                SELECT FROM pg_index
                JOIN pg_inherits AS attached ON attached.inhrelid = indexrelid
                WHERE indrelid = day.oid AND attached.inhparent = 'check_results_down'::regclass
            )
        ORDER BY day.relname"#
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing(
        "cannot look at the indexes of check_results",
    ))
}

/// Makes the index of a day's checks that were down, while others read and write. The connection must
/// not be in a transaction.
pub async fn index_down(connection: &mut PgConnection, day: NaiveDate) -> Result<(), StoreError> {
    let partition = partition(day);
    for statement in [
        // What an attempt that was interrupted has left behind.
        format!("DROP INDEX IF EXISTS {partition}_down"),
        format!(
            "CREATE INDEX CONCURRENTLY {partition}_down \
            ON {partition} (site_id, region_id, scheduled_at) WHERE outcome = 'down'"
        ),
        format!("ALTER INDEX check_results_down ATTACH PARTITION {partition}_down"),
    ] {
        run(connection, statement)
            .await
            .map_err(StoreError::doing("cannot make an index of a partition"))?;
    }
    Ok(())
}

/// Runs a statement that cannot have parameters. All that is put into it are dates.
async fn run(connection: &mut PgConnection, statement: String) -> Result<(), sqlx::Error> {
    let statement = sqlx::query(AssertSqlSafe(statement));
    statement.execute(connection).await.map(drop)
}

fn partition(day: NaiveDate) -> String {
    format!("check_results_{}", day.format("%Y%m%d"))
}

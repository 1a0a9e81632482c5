//! All that is read for one answer is of one moment.

use sqlx::{Executor as _, PgConnection, PgPool, Postgres, Transaction};

use crate::error::StoreError;
use crate::transaction;

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// The lock makes who drops old checks wait until the answer is complete: it comes before the moment
/// that is seen, so whatever is gone by then is known to be.
///
/// Rows are looked up by the key, series by series: the planner does not know that there are few.
const PREPARE: &str = "LOCK TABLE ONLY check_results IN ACCESS SHARE MODE; \
    SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; \
    SET LOCAL max_parallel_workers_per_gather = 0";

/// What is better for reading checks of many series, as they lie in the table.
const MANY: &str = "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL enable_hashjoin = on";

/// The same for checks that have come since the planner's last look at the table: it takes them for none or one,
/// and would compare every one of thousands with every series.
const MANY_NEW: &str = "SET LOCAL enable_hashjoin = on; SET LOCAL enable_nestloop = off";

pub(super) async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, StoreError> {
    let beginning = StoreError::doing;
    let begun = transaction::begin(pool, BEGIN).await;
    let mut transaction = begun.map_err(beginning("cannot begin to read"))?;
    let prepared = transaction.execute(PREPARE).await;
    prepared.map_err(beginning("cannot begin to read"))?;
    Ok(transaction)
}

/// From here on, many series are read at a time.
pub(super) async fn read_many(connection: &mut PgConnection) -> Result<(), StoreError> {
    set(connection, MANY).await
}

/// From here on, many series are read at a time, and new checks of them.
pub(super) async fn read_many_new(connection: &mut PgConnection) -> Result<(), StoreError> {
    set(connection, MANY_NEW).await
}

async fn set(connection: &mut PgConnection, settings: &'static str) -> Result<(), StoreError> {
    let set = connection.execute(settings).await;
    set.map(drop)
        .map_err(StoreError::doing("cannot choose how to read checks"))
}

/// Nothing was written, so nobody has to wait until it is known to be over: that is told to the database
/// with the question that is asked anyway when a connection goes back to its pool.
pub(super) fn end(transaction: Transaction<'static, Postgres>) {
    drop(transaction);
}

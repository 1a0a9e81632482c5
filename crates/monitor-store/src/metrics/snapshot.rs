//! All that is read for one answer is of one moment.

use sqlx::{PgPool, Postgres, Transaction};

use crate::error::StoreError;

/// The lock makes who drops old checks wait until the answer is complete: it comes before the moment
/// that is seen, so whatever is gone by then is known to be. Plans are made once and kept: nearly
/// all rows are looked up by the key, and to plan for each of the partitions takes longer than that.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; \
    LOCK TABLE ONLY check_results IN ACCESS SHARE MODE; \
    SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL jit = off";

pub(super) async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, StoreError> {
    let begun = pool.begin_with(BEGIN).await;
    begun.map_err(StoreError::doing("cannot begin to read"))
}

pub(super) async fn end(transaction: Transaction<'static, Postgres>) -> Result<(), StoreError> {
    let ended = transaction.commit().await;
    ended.map_err(StoreError::doing("cannot end reading"))
}

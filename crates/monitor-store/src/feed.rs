//! Checks in the order in which they were stored, for whoever follows them.
//!
//! Each transaction of a sink leaves a note of where in time its rows are (`stored_batches`), and is a
//! batch of the feed. A reader's [`FeedPosition`] says which transactions it has seen, as a snapshot of
//! the database does: those before a number, except some that had not ended. So a transaction that
//! ends after a later one is not skipped, however long it takes, and nobody waits for it.
//!
//! Whoever goes on from a position gets every batch that is not in it, and so every check that was
//! stored or replaced since; of one that was replaced meanwhile, only what it is now.

mod position;
mod read;
mod spans;

use chrono::{DateTime, Utc};
use monitor_core::metric::StoredCheck;
use sqlx::{PgConnection, PgExecutor, PgPool};

use self::position::{Batch, Snapshot};
pub use self::position::{FeedPosition, InvalidPosition};
use self::read::{Found, Look};
use crate::error::StoreError;
use crate::transaction;

/// What a reader gets.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedAnswer {
    /// What was stored after the position, or the first of it.
    Page(FeedPage),
    /// The position does not say any more what comes after it: batches are kept for a day, and a
    /// database that is not what it was (a failover that lost commits, a copy) has others.
    Expired {
        /// The oldest position that can be gone on from.
        oldest: FeedPosition,
    },
}

/// Some batches, each once.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedPage {
    /// In the order in which they began.
    pub batches: Vec<StoredBatch>,
    /// Where to go on after all of them.
    pub next: FeedPosition,
    /// Whether there were more already.
    pub more: bool,
}

/// The checks of one transaction that are still as it has stored them.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredBatch {
    /// Where to go on after this one.
    pub position: FeedPosition,
    /// When the transaction began.
    pub stored_at: DateTime<Utc>,
    /// By slot, then site, then region.
    pub checks: Vec<StoredCheck>,
}

/// The position after all that is stored now.
pub async fn latest(executor: impl PgExecutor<'_>) -> Result<FeedPosition, StoreError> {
    let look = read::look(executor, None).await?;
    Ok(FeedPosition {
        seen: look.now,
        last: look.newest,
    })
}

/// The position before all that is kept.
pub async fn oldest(executor: impl PgExecutor<'_>) -> Result<FeedPosition, StoreError> {
    Ok(before(read::look(executor, None).await?.oldest))
}

fn before(batch: Batch) -> FeedPosition {
    FeedPosition {
        seen: Snapshot::before(batch.xid),
        last: batch,
    }
}

/// Everything that is read is of one moment. A day's checks are looked up by their time, whatever the
/// planner knows of a day that has just begun.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; \
    SET LOCAL enable_seqscan = off; SET LOCAL jit = off; \
    SET LOCAL max_parallel_workers_per_gather = 0";

/// The batches after `position`: as many as have about `checks` checks, one at least. The pool must
/// be of the primary server: a standby does not know what has not ended.
pub async fn next(
    pool: &PgPool,
    position: &FeedPosition,
    checks: u32,
) -> Result<FeedAnswer, StoreError> {
    let doing = StoreError::doing;
    let begun = transaction::begin(pool, BEGIN).await;
    let mut transaction = begun.map_err(doing("cannot begin to read the feed"))?;
    let look = read::look(&mut *transaction, Some(position)).await?;
    let answer = if look.goes_on_from(position) {
        FeedAnswer::Page(page(&mut transaction, position, &look.now, checks).await?)
    } else {
        FeedAnswer::Expired {
            oldest: before(look.oldest),
        }
    };
    let ended = transaction.commit().await;
    ended.map_err(doing("cannot end reading the feed"))?;
    Ok(answer)
}

impl Look {
    /// Batches are deleted from the oldest on. The last one that was seen is not there in a database
    /// that has lost it, and what is ahead of the database is of another one.
    fn goes_on_from(&self, position: &FeedPosition) -> bool {
        self.last_is_there
            && self.oldest.xid <= position.seen.first_open()
            && position.seen.end() <= self.now.end()
    }
}

async fn page(
    connection: &mut PgConnection,
    position: &FeedPosition,
    now: &Snapshot,
    checks: u32,
) -> Result<FeedPage, StoreError> {
    let Found { batches, more } = read::batches(connection, &position.seen, now, checks).await?;
    let mut of_batches = read::checks(connection, &batches).await?;
    let mut page = FeedPage {
        batches: Vec::with_capacity(batches.len()),
        next: position.clone(),
        more,
    };
    for Batch { xid, stored_at } in batches.iter().map(|noted| noted.batch) {
        page.next = page.next.after(now, Batch { xid, stored_at });
        page.batches.push(StoredBatch {
            position: page.next.clone(),
            stored_at,
            checks: of_batches.remove(&read::short(xid)).unwrap_or_default(),
        });
    }
    if !more {
        page.next.seen = now.clone();
    }
    Ok(page)
}

/// Deletes what is older than a day, but never the last batch. Returns how many rows that were.
pub(crate) async fn delete_expired(connection: &mut PgConnection) -> Result<u64, StoreError> {
    let deleted = sqlx::query!(
        r#"-- feed.delete_expired
        DELETE FROM stored_batches
        WHERE xid < (
            SELECT xid FROM stored_batches
            WHERE stored_at >= now() - INTERVAL '24 hours'
            ORDER BY xid
            LIMIT 1
        )"#
    )
    .execute(connection)
    .await
    .map_err(StoreError::doing("cannot delete old batches of the feed"))?;
    Ok(deleted.rows_affected())
}

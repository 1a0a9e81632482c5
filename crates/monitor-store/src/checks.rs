//! Storing check events, each once.

mod columns;

use std::collections::HashMap;

use monitor_core::CheckEvent;
use sqlx::{Connection as _, PgConnection};

use self::columns::Columns;
use crate::error::{ErrorClass, StoreError};
use crate::partitions;

/// What became of a number of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inserted {
    /// Rows that are new, or replaced a `missed` or an `error` by a real result.
    pub stored: u64,
    /// Events whose slot had its row already.
    pub duplicates: u64,
}

/// What begins a transaction: the server gives up on it before anybody stops waiting for it.
const BEGIN: &str = "BEGIN; SET LOCAL statement_timeout = '15s'; SET LOCAL lock_timeout = '5s'";

/// Stores events in one transaction of their own. Partitions that are missing are created.
///
/// The caller sets the deadline. When it fires, the connection must be dropped: what became of the
/// transaction is not known, and to store the same events again is right in either case.
pub async fn store(
    connection: &mut PgConnection,
    events: &[CheckEvent],
) -> Result<Inserted, StoreError> {
    match transact(connection, events).await {
        Err(error) if error.class() == ErrorClass::MissingPartition => {
            let days = events.iter().map(|event| event.scheduled_at.date_naive());
            partitions::ensure(connection, days).await?;
            transact(connection, events).await
        }
        done => done,
    }
}

async fn transact(
    connection: &mut PgConnection,
    events: &[CheckEvent],
) -> Result<Inserted, StoreError> {
    let doing = StoreError::doing;
    let mut transaction = connection
        .begin_with(BEGIN)
        .await
        .map_err(doing("cannot begin"))?;
    let inserted = insert_batch(&mut transaction, events).await?;
    transaction
        .commit()
        .await
        .map_err(doing("cannot commit checks"))?;
    Ok(inserted)
}

/// Stores events by one statement, in whatever transaction the connection is in.
///
/// An event whose slot has a row already changes nothing, except that a real result replaces a
/// `missed` or an `error`. An event without a partition for its day fails with
/// [`ErrorClass::MissingPartition`].
pub async fn insert_batch(
    connection: &mut PgConnection,
    events: &[CheckEvent],
) -> Result<Inserted, StoreError> {
    let stored = columns::upsert(connection, Columns::of(&one_per_slot(events))?).await?;
    let events = u64::try_from(events.len()).unwrap_or(u64::MAX);
    Ok(Inserted {
        stored,
        duplicates: events.saturating_sub(stored),
    })
}

/// One event for each slot, because one statement cannot touch a row twice: the first, unless a
/// later one is a real result and it is not.
fn one_per_slot(events: &[CheckEvent]) -> Vec<&CheckEvent> {
    let mut by_slot = HashMap::with_capacity(events.len());
    for event in events {
        by_slot
            .entry((event.site_id, &event.region, event.scheduled_at))
            .and_modify(|kept: &mut &CheckEvent| {
                if !kept.outcome.is_verdict() && event.outcome.is_verdict() {
                    *kept = event;
                }
            })
            .or_insert(event);
    }
    by_slot.into_values().collect()
}

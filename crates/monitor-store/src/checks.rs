//! Storing check events, each once.

mod columns;

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use monitor_core::{CheckEvent, Outcome, Slot};
use sqlx::{Connection as _, PgConnection};

use self::columns::Columns;
use crate::error::{ErrorClass, StoreError};

/// What became of a number of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inserted {
    /// Rows that are new, or replaced a `missed` or an `error` by a real result.
    pub stored: u64,
    /// Events whose slot had its row already.
    pub duplicates: u64,
}

/// Stores events in one transaction of their own.
///
/// An event whose slot has a row already changes nothing, except that a real result replaces a
/// `missed` or an `error`. Partitions that are missing are created.
pub async fn store(
    connection: &mut PgConnection,
    events: &[CheckEvent],
) -> Result<Inserted, StoreError> {
    match insert(connection, events).await {
        Err(error) if error.class() == ErrorClass::MissingPartition => {
            create_partitions(connection, events).await?;
            insert(connection, events).await
        }
        done => done,
    }
}

async fn insert(
    connection: &mut PgConnection,
    events: &[CheckEvent],
) -> Result<Inserted, StoreError> {
    let doing = StoreError::doing;
    let mut transaction = connection.begin().await.map_err(doing("cannot begin"))?;
    let stored = columns::upsert(&mut transaction, Columns::of(&one_per_slot(events))?).await?;
    transaction
        .commit()
        .await
        .map_err(doing("cannot commit checks"))?;
    let events = u64::try_from(events.len()).unwrap_or(u64::MAX);
    Ok(Inserted {
        stored,
        duplicates: events.saturating_sub(stored),
    })
}

/// One event for each slot, because one statement cannot touch a row twice: the first, unless a
/// later one is a real result and it is not.
fn one_per_slot(events: &[CheckEvent]) -> Vec<&CheckEvent> {
    let mut by_slot: HashMap<Slot, &CheckEvent> = HashMap::with_capacity(events.len());
    for event in events {
        by_slot
            .entry(event.slot())
            .and_modify(|kept| {
                if !is_real(kept) && is_real(event) {
                    *kept = event;
                }
            })
            .or_insert(event);
    }
    by_slot.into_values().collect()
}

fn is_real(event: &CheckEvent) -> bool {
    !matches!(event.outcome, Outcome::Missed | Outcome::Error)
}

/// Creates the partitions of the days of `events`. Safe when others do the same.
async fn create_partitions(
    connection: &mut PgConnection,
    events: &[CheckEvent],
) -> Result<(), StoreError> {
    let days: BTreeSet<NaiveDate> = events
        .iter()
        .map(|event| event.scheduled_at.date_naive())
        .collect();
    for day in days {
        sqlx::query!(
            r#"-- checks.create_partition
            SELECT create_checks_partition($1)"#,
            day
        )
        .execute(&mut *connection)
        .await
        .map_err(StoreError::doing("cannot create a partition"))?;
    }
    Ok(())
}

//! Storing check events, each once.

mod batch;
mod copy;
mod insert;
mod names;
mod state;
mod values;

use monitor_core::CheckEvent;
use sqlx::{Connection as _, PgConnection, PgTransaction};

use self::batch::{Row, rows_of};
use self::names::Names;
use crate::error::{ErrorClass, StoreError};
use crate::partitions;
use crate::progress::Progress;

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

/// Fewest rows that are copied. The driver sends the end of a copy in a packet of its own, which
/// waits for the packet before it to be acknowledged, up to 40 ms: longer than inserting takes.
const COPY_FROM: usize = 1_000;

/// Stores events through a connection of its own, which it alone may use.
///
/// Several writers may store at once, also the same events: they take their locks in one order.
#[derive(Debug)]
pub struct CheckWriter {
    connection: PgConnection,
    // Lives and dies with the connection: another server may have given out other ids.
    names: Names,
}

impl CheckWriter {
    /// A writer through `connection`, to a database whose schema is known to be the right one.
    #[must_use]
    pub fn new(connection: PgConnection) -> Self {
        Self {
            connection,
            names: Names::default(),
        }
    }

    /// Stores events in one transaction of their own, with the latest state of their sites, the
    /// marks of the hours that they change, and how far the consumer has come. Partitions that are
    /// missing are created.
    ///
    /// The caller sets the deadline. When it fires, the writer must be dropped: what became of the
    /// transaction is not known, and to store the same events again is right in either case. After
    /// an error nothing is stored, and the writer can be used again unless the error's class says
    /// [`ErrorClass::Reconnect`].
    pub async fn store<'a>(
        &mut self,
        events: impl IntoIterator<Item = &'a CheckEvent>,
        progress: Option<&Progress<'_>>,
    ) -> Result<Inserted, StoreError> {
        store_with(&mut self.connection, &mut self.names, events, progress).await
    }

    /// The connection, for what is done between two batches.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

/// Stores events once, as [`CheckWriter::store`] does, for those who have no writer.
pub async fn store<'a>(
    connection: &mut PgConnection,
    events: impl IntoIterator<Item = &'a CheckEvent>,
    progress: Option<&Progress<'_>>,
) -> Result<Inserted, StoreError> {
    store_with(connection, &mut Names::default(), events, progress).await
}

/// How rows get into the table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    /// The fastest, which fails as a whole when one of the rows is there already.
    Copy,
    /// Leaves rows alone that are there already, or replaces them.
    Insert,
}

async fn store_with<'a>(
    connection: &mut PgConnection,
    names: &mut Names,
    events: impl IntoIterator<Item = &'a CheckEvent>,
    progress: Option<&Progress<'_>>,
) -> Result<Inserted, StoreError> {
    let events: Vec<_> = events.into_iter().collect();
    if events.is_empty() && progress.is_none() {
        return Ok(Inserted::default());
    }
    names.learn(connection, &events).await?;
    let rows = rows_of(&events, names)?;
    let stored = store_rows(connection, names, &rows, progress).await?;
    let events = u64::try_from(events.len()).unwrap_or(u64::MAX);
    Ok(Inserted {
        stored,
        duplicates: events.saturating_sub(stored),
    })
}

/// Tries until it is done or nothing is left to try. Returns how many rows are new or replaced.
async fn store_rows(
    connection: &mut PgConnection,
    names: &Names,
    rows: &[Row<'_>],
    progress: Option<&Progress<'_>>,
) -> Result<u64, StoreError> {
    let mut method = if rows.len() < COPY_FROM {
        Method::Insert
    } else {
        Method::Copy
    };
    let mut partitions_are_there = false;
    loop {
        match transact(connection, method, names, rows, progress).await {
            Err(error) if method == Method::Copy && error.is_unique_violation() => {
                method = Method::Insert;
            }
            Err(error)
                if !partitions_are_there && error.class() == ErrorClass::MissingPartition =>
            {
                let days = rows.iter().map(|row| row.scheduled_at.date_naive());
                partitions::ensure(connection, days).await?;
                partitions_are_there = true;
            }
            done => return done,
        }
    }
}

async fn transact(
    connection: &mut PgConnection,
    method: Method,
    names: &Names,
    rows: &[Row<'_>],
    progress: Option<&Progress<'_>>,
) -> Result<u64, StoreError> {
    let doing = StoreError::doing;
    let mut transaction = connection
        .begin_with(BEGIN)
        .await
        .map_err(doing("cannot begin"))?;
    match fill(&mut transaction, method, names, rows, progress).await {
        Ok(stored) => {
            let committed = transaction.commit().await;
            committed.map_err(doing("cannot commit checks"))?;
            Ok(stored)
        }
        Err(error) => {
            // When even that fails, the error that is told says so by its class.
            drop(transaction.rollback().await);
            Err(error)
        }
    }
}

/// All that belongs to one transaction. Every writer takes its locks in one order: those of rows,
/// then those of what is kept beside them, which is one statement; and of each table in the order of
/// its key.
async fn fill(
    transaction: &mut PgTransaction<'_>,
    method: Method,
    names: &Names,
    rows: &[Row<'_>],
    progress: Option<&Progress<'_>>,
) -> Result<u64, StoreError> {
    let inserted;
    let stored = match method {
        Method::Copy => {
            copy::rows(transaction, names, rows).await?;
            rows
        }
        Method::Insert => {
            inserted = insert::rows(transaction, rows).await?;
            &inserted
        }
    };
    state::update(transaction, stored, progress).await?;
    Ok(u64::try_from(stored.len()).unwrap_or(u64::MAX))
}

//! Storing check events, each once.

mod batch;
mod copy;
mod insert;
mod names;
mod state;
mod transaction;
mod values;

use monitor_core::event::KeptEvent;
use sqlx::PgConnection;

use self::batch::rows_of;
use self::names::Names;
use self::transaction::{Batch, Method};
use crate::error::StoreError;
use crate::progress::Progress;

/// What became of a number of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inserted {
    /// Rows that are new, or replaced a `missed` or an `error` by a real result.
    pub stored: u64,
    /// Events whose slot had its row already.
    pub duplicates: u64,
}

/// Stores events through a connection of its own, which it alone may use.
///
/// Several writers may store at once, also the same events: they take their locks in one order.
#[derive(Debug)]
pub struct CheckWriter {
    connection: PgConnection,
    memory: Memory,
}

/// What is remembered from one batch to the next. It lives and dies with the connection: another
/// server may have given out other ids.
#[derive(Debug, Default)]
struct Memory {
    names: Names,
    /// The last batch held slots that had their row already, so the next one probably does too.
    replaying: bool,
}

impl CheckWriter {
    /// A writer through `connection`, to a database whose schema is known to be the right one.
    #[must_use]
    pub fn new(connection: PgConnection) -> Self {
        Self {
            connection,
            memory: Memory::default(),
        }
    }

    /// Stores events in one transaction of their own, with the latest state of their sites, the
    /// marks of the hours that they change, and how far the consumer has come. Partitions that are
    /// missing are created.
    ///
    /// The caller sets the deadline. When it fires, the writer must be dropped: what became of the
    /// transaction is not known, and to store the same events again is right in either case. After
    /// an error nothing is stored, and the writer can be used again unless the error's class says
    /// [`Reconnect`](crate::ErrorClass::Reconnect).
    pub async fn store(
        &mut self,
        events: &[KeptEvent<'_>],
        progress: Option<&Progress<'_>>,
    ) -> Result<Inserted, StoreError> {
        self.memory
            .store(&mut self.connection, events, progress)
            .await
    }

    /// The connection, for what is done between two batches.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

/// Stores events once, as [`CheckWriter::store`] does, for those who have no writer.
pub async fn store(
    connection: &mut PgConnection,
    events: &[KeptEvent<'_>],
    progress: Option<&Progress<'_>>,
) -> Result<Inserted, StoreError> {
    Memory::default().store(connection, events, progress).await
}

impl Memory {
    async fn store(
        &mut self,
        connection: &mut PgConnection,
        events: &[KeptEvent<'_>],
        progress: Option<&Progress<'_>>,
    ) -> Result<Inserted, StoreError> {
        if events.is_empty() && progress.is_none() {
            return Ok(Inserted::default());
        }
        self.names.learn(connection, events).await?;
        let batch = Batch {
            rows: rows_of(events, &self.names)?,
            warning_type: self.names.warning_type(),
            progress,
        };
        let method = Method::suited(batch.rows.len(), self.replaying);
        let stored = batch.store(connection, method).await?;
        self.replaying = stored < batch.rows.len();
        Ok(Inserted {
            stored: count(stored),
            duplicates: count(events.len().saturating_sub(stored)),
        })
    }
}

fn count(events: usize) -> u64 {
    u64::try_from(events).unwrap_or(u64::MAX)
}

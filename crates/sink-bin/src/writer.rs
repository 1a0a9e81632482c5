//! The one connection that events are written through.

use std::time::Duration;

use monitor_core::CheckEvent;
use monitor_store::{
    DatabaseSettings, ErrorClass, Inserted, PgConnection, StoreError, checks, schema,
};
use tokio::time::timeout;

/// Deadline of connecting, and of a whole transaction. When it fires, the connection is dropped and
/// never used again: what became of its transaction is unknown, and asking it anything could hang.
const DEADLINE: Duration = Duration::from_secs(20);

/// Why events were not stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// The database answered with an error, or not at all.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The schema is not the one that this program knows.
    #[error(transparent)]
    Schema(#[from] schema::SchemaError),
    /// No answer in time.
    #[error("the database did not answer within {} s", DEADLINE.as_secs())]
    Deadline,
}

impl WriteError {
    /// Whether some of the events themselves are what the database refuses.
    pub(crate) fn is_poison(&self) -> bool {
        matches!(self, Self::Store(error) if error.class() == ErrorClass::Poison)
    }
}

/// Stores events; connects when it needs to.
pub(crate) struct Writer {
    settings: DatabaseSettings,
    connection: Option<PgConnection>,
}

impl Writer {
    /// A writer that is not connected yet.
    pub(crate) fn new(settings: DatabaseSettings) -> Self {
        Self {
            settings,
            connection: None,
        }
    }

    /// Connects, and makes sure that the schema is the one that this program knows.
    pub(crate) async fn connect(&mut self) -> Result<(), WriteError> {
        let connecting = async {
            let mut connection = self.settings.connect("sink").await?;
            schema::check(&mut connection).await?;
            Ok::<_, WriteError>(connection)
        };
        let connection = timeout(DEADLINE, connecting)
            .await
            .map_err(|_| WriteError::Deadline)??;
        self.connection = Some(connection);
        Ok(())
    }

    /// Stores events in one transaction. After an error none of them is stored, or (when the answer
    /// was lost) all of them may be: to store them again is right in either case.
    pub(crate) async fn store(&mut self, events: &[CheckEvent]) -> Result<Inserted, WriteError> {
        if self.connection.is_none() {
            self.connect().await?;
        }
        // Taken out, so that whatever happens before the commit, the connection is gone with it.
        let Some(mut connection) = self.connection.take() else {
            return Err(WriteError::Deadline);
        };
        let storing = checks::store(&mut connection, events, None);
        let inserted = timeout(DEADLINE, storing)
            .await
            .map_err(|_| WriteError::Deadline)??;
        self.connection = Some(connection);
        Ok(inserted)
    }
}

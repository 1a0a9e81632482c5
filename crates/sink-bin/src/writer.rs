//! A connection that events are written through.

use std::collections::HashMap;
use std::time::Duration;

use monitor_core::event::KeptEvent;
use monitor_kafka::Progress;
use monitor_store::checks::CheckWriter;
use monitor_store::{DatabaseSettings, ErrorClass, Inserted, StoreError, progress, schema};
use tokio::time::timeout;

/// Deadline of connecting, and of a whole transaction. When it fires, the connection is dropped and
/// never used again: what became of its transaction is unknown, and asking it anything could hang.
const DEADLINE: Duration = Duration::from_secs(20);

/// Why events were not stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// The database answered with an error, or not at all.
    #[error("{0}{hint}", hint = hint(.0.class()))]
    Store(#[from] StoreError),
    /// The schema is not the one that this program knows.
    #[error(transparent)]
    Schema(#[from] schema::SchemaError),
    /// No answer in time.
    #[error("the database did not answer within {} s", DEADLINE.as_secs())]
    Deadline,
}

/// What an operator has to do, where it takes one.
fn hint(class: ErrorClass) -> &'static str {
    match class {
        ErrorClass::Setup => {
            "; nothing is stored until the schema, rights or settings of the database are put right"
        }
        ErrorClass::Bug => {
            "; nothing is stored until the schema is restored or this program is corrected"
        }
        _ => "",
    }
}

impl WriteError {
    pub(crate) fn class(&self) -> ErrorClass {
        match self {
            Self::Store(error) => error.class(),
            Self::Schema(_) => ErrorClass::Setup,
            Self::Deadline => ErrorClass::Reconnect,
        }
    }

    /// Whether less at once may get through.
    pub(crate) fn is_too_much(&self) -> bool {
        matches!(self, Self::Deadline) || self.class() == ErrorClass::TooSlow
    }

    /// The SQLSTATE with which the database refused an event, or our own name for it.
    pub(crate) fn refusal(&self) -> String {
        let code = match self {
            Self::Store(error) => error.sqlstate(),
            Self::Schema(_) | Self::Deadline => None,
        };
        code.map_or_else(
            || "does_not_fit".to_owned(),
            |code| format!("SQLSTATE:{code}"),
        )
    }
}

/// Stores events; connects when it needs to.
///
/// Whenever it has connected, it compares what the database says of the progress of the group with
/// what the database should have: it may be another server than before, to which the last commits
/// never came.
pub(crate) struct Writer {
    settings: DatabaseSettings,
    group: String,
    progress: Progress,
    checks: Option<CheckWriter>,
}

impl Writer {
    /// A writer that is not connected yet.
    pub(crate) fn new(settings: DatabaseSettings, group: String, progress: Progress) -> Self {
        Self {
            settings,
            group,
            progress,
            checks: None,
        }
    }

    /// Stores events in one transaction, and that everything before the claims is stored with them.
    /// After an error none of them is stored, or (when the answer was lost) all of them may be: to
    /// store them again is right in either case.
    ///
    /// Claims are asked for once there is a connection: a new one may have shown that what came
    /// before these events is not stored after all. `None` when there are none any more, because
    /// then the events are not ours to store.
    pub(crate) async fn store(
        &mut self,
        events: &[KeptEvent<'_>],
        claims: impl FnOnce() -> Option<HashMap<i32, i64>>,
    ) -> Result<Option<Inserted>, WriteError> {
        let mut checks = self.connected().await?;
        let Some(claims) = claims() else {
            self.checks = Some(checks);
            return Ok(None);
        };
        let progress = (!claims.is_empty()).then_some(progress::Progress {
            group: &self.group,
            topic: self.progress.topic(),
            next_offsets: &claims,
        });
        let stored = timeout(DEADLINE, checks.store(events, progress.as_ref()))
            .await
            .map_err(|_| WriteError::Deadline)?;
        let broken = stored
            .as_ref()
            .is_err_and(|error| error.class() == ErrorClass::Reconnect);
        if !broken {
            self.checks = Some(checks);
        }
        Ok(Some(stored?))
    }

    /// By partition, the offset before which the database has everything.
    pub(crate) async fn ledger(&mut self) -> Result<HashMap<i32, i64>, WriteError> {
        let mut checks = self.connected().await?;
        let (group, topic) = (&self.group, self.progress.topic());
        let reading = progress::read(checks.connection(), group, topic);
        let ledger = timeout(DEADLINE, reading)
            .await
            .map_err(|_| WriteError::Deadline)??;
        self.checks = Some(checks);
        Ok(ledger)
    }

    /// Taken out, so that when anything goes wrong, the connection is gone with it.
    async fn connected(&mut self) -> Result<CheckWriter, WriteError> {
        if let Some(checks) = self.checks.take() {
            return Ok(checks);
        }
        let connecting = async {
            let mut connection = connect(&self.settings).await?;
            let (group, topic) = (&self.group, self.progress.topic());
            let ledger = progress::read(&mut connection, group, topic).await?;
            Ok::<_, WriteError>((connection, ledger))
        };
        let (connection, ledger) = timeout(DEADLINE, connecting)
            .await
            .map_err(|_| WriteError::Deadline)??;
        self.reconcile(&ledger);
        Ok(CheckWriter::new(connection))
    }

    fn reconcile(&self, ledger: &HashMap<i32, i64>) {
        for rewound in self.progress.reconcile(ledger) {
            let stored = rewound.ledger.unwrap_or(0);
            metrics::counter!("sink_rewinds_total").increment(1);
            tracing::warn!(
                kafka.partition = rewound.partition,
                kafka.offset = stored,
                expected = rewound.done,
                "the database does not know of the last commits: reading again from there"
            );
        }
    }
}

/// Makes a connection, and sure that the schema is the one that this program knows.
pub(crate) async fn connect(
    settings: &DatabaseSettings,
) -> Result<monitor_store::PgConnection, WriteError> {
    let mut connection = settings.connect("sink").await?;
    schema::check(&mut connection).await?;
    Ok(connection)
}

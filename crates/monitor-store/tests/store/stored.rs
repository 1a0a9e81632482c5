//! Events on their way into the store, as they come out of a topic.

use monitor_core::CheckEvent;
use monitor_core::event::{KeptEvent, Text};
use monitor_store::{CheckWriter, Inserted, PgConnection, Progress, StoreError, checks};

/// Stores events without a writer.
pub(crate) async fn store(
    connection: &mut PgConnection,
    events: impl IntoIterator<Item = &CheckEvent>,
    progress: Option<&Progress<'_>>,
) -> Result<Inserted, StoreError> {
    let messages = Messages::of(events);
    checks::store(connection, &messages.kept(), progress).await
}

/// Stores events by a writer.
pub(crate) async fn write(
    writer: &mut CheckWriter,
    events: impl IntoIterator<Item = &CheckEvent>,
    progress: Option<&Progress<'_>>,
) -> Result<Inserted, StoreError> {
    let messages = Messages::of(events);
    writer.store(&messages.kept(), progress).await
}

struct Messages(Vec<Vec<u8>>);

impl Messages {
    fn of<'a>(events: impl IntoIterator<Item = &'a CheckEvent>) -> Self {
        let encoded = events.into_iter().map(|event| event.encode().unwrap());
        Self(encoded.collect())
    }

    /// Not by `decode`, so that the store gets to see what it would refuse.
    fn kept(&self) -> Vec<KeptEvent<'_>> {
        let read = |json| serde_json::from_slice::<CheckEvent<Text<'_>>>(json).unwrap();
        self.0.iter().map(|json| read(json).into()).collect()
    }
}

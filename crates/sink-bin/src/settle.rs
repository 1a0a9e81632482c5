//! Dealing with a batch to the end: whatever is stored is committed, whatever cannot be is put
//! aside, and nothing else is given up.

use std::collections::VecDeque;

use metrics::counter;
use monitor_core::CheckEvent;
use monitor_kafka::{DeadLetter, DeadLetters, Stage};
use monitor_runtime::{CancellationToken, Component, retry_until_ready};
use tokio::sync::Mutex;

use crate::batch::{Batch, Entry};
use crate::writer::{WriteError, Writer};

/// Settles batches, one after the other.
pub(crate) struct Settler {
    // Locked for one attempt at a time, never contended: retrying needs a closure that can be
    // called again, and so may not hold `&mut`.
    writer: Mutex<Writer>,
    dead_letters: Mutex<DeadLetters>,
    database: Component,
    kafka: Component,
    stop: CancellationToken,
}

impl Settler {
    /// Settles through `writer` and `dead_letters`, and tells through the components what is in
    /// the way.
    pub(crate) fn new(
        writer: Writer,
        dead_letters: DeadLetters,
        (database, kafka): (Component, Component),
        stop: CancellationToken,
    ) -> Self {
        let (writer, dead_letters) = (Mutex::new(writer), Mutex::new(dead_letters));
        Self {
            writer,
            dead_letters,
            database,
            kafka,
            stop,
        }
    }

    /// Stores the events of a batch and puts the rest aside, however long it takes. `None` when
    /// asked to stop before that: the batch will be read again.
    pub(crate) async fn settle(&self, batch: Batch) -> Option<()> {
        let mut letters = batch.rejected;
        let mut parts = VecDeque::from([batch.entries]);
        while let Some(part) = parts.pop_front() {
            match self.store(&part).await? {
                Stored::All => {}
                Stored::None(error) => split(part, &error, &mut parts, &mut letters),
            }
        }
        self.put_aside(&letters).await
    }

    async fn store(&self, entries: &[Entry]) -> Option<Stored> {
        if entries.is_empty() {
            return Some(Stored::All);
        }
        let events: Vec<CheckEvent> = entries.iter().map(|entry| entry.event.clone()).collect();
        retry_until_ready(&self.database, &self.stop, || async {
            match self.writer.lock().await.store(&events).await {
                Ok(inserted) => {
                    counter!("sink_events_stored_total").increment(inserted.stored);
                    counter!("sink_events_duplicate_total").increment(inserted.duplicates);
                    Ok(Stored::All)
                }
                Err(error) if error.is_poison() => Ok(Stored::None(error)),
                Err(error) => {
                    counter!("sink_store_errors_total").increment(1);
                    Err(error)
                }
            }
        })
        .await
    }

    async fn put_aside(&self, letters: &[DeadLetter]) -> Option<()> {
        if letters.is_empty() {
            return Some(());
        }
        for letter in letters {
            let DeadLetter {
                message,
                class,
                reason,
                ..
            } = letter;
            counter!("sink_dead_letters_total", "reason" => class.clone()).increment(1);
            tracing::warn!(
                kafka.partition = message.partition,
                kafka.offset = message.offset,
                class,
                "put aside: {reason}"
            );
        }
        let put = || async { self.dead_letters.lock().await.put(letters).await };
        retry_until_ready(&self.kafka, &self.stop, put).await
    }
}

enum Stored {
    All,
    /// Nothing, because of what is in at least one of the events.
    None(WriteError),
}

/// Halves what was refused as a whole, until single events are left: those are put aside.
fn split(
    mut part: Vec<Entry>,
    error: &WriteError,
    parts: &mut VecDeque<Vec<Entry>>,
    letters: &mut Vec<DeadLetter>,
) {
    let half = part.split_off(part.len() / 2);
    if part.is_empty() {
        letters.extend(half.into_iter().map(|entry| DeadLetter {
            message: entry.message,
            stage: Stage::TaskPut,
            class: "refused_by_database".to_owned(),
            reason: error.to_string(),
        }));
    } else {
        parts.extend([part, half]);
    }
}

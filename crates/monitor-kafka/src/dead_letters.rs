//! Messages that cannot be stored, put aside where an operator finds them.
//!
//! Key, value and headers stay as they were; what happened is told in the headers that Kafka
//! Connect uses for the same purpose, so that tools for its dead-letter queues work here too.

mod headers;
mod letter;
mod replay;

use std::collections::HashMap;
use std::ops::ControlFlow;

use rdkafka::Message as _;

pub use self::letter::{Letter, Origin, find, latest, unreplayed};
pub use self::replay::Replayer;
use crate::error::KafkaError;
use crate::headers::Headers;
use crate::producer::{Deliveries, Outgoing, Producer, Refused};
use crate::read::Reader;
use crate::settings::KafkaSettings;

/// Where in its way a message failed; names as in Kafka Connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its value could not be read.
    ValueConverter,
    /// It could not be stored.
    TaskPut,
}

impl Stage {
    fn as_str(self) -> &'static str {
        match self {
            Self::ValueConverter => "VALUE_CONVERTER",
            Self::TaskPut => "TASK_PUT",
        }
    }

    /// The module that does it.
    fn class_name(self) -> &'static str {
        match self {
            Self::ValueConverter => "monitor_core::event",
            Self::TaskPut => "monitor_store::checks",
        }
    }
}

/// A message to put aside, and why.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// Partition that it was read from.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub payload: Option<Vec<u8>>,
    /// Where it failed.
    pub stage: Stage,
    /// A short, stable name of the reason.
    pub class: String,
    /// The reason in words.
    pub reason: String,
}

/// The writing end of the dead-letter topic.
pub struct DeadLetters {
    producer: Producer,
    deliveries: Deliveries,
    settings: KafkaSettings,
    writer: String,
    group: String,
}

impl DeadLetters {
    /// Makes a writer; `writer` names it in the headers. `group` is the one whose messages are put
    /// aside.
    pub fn new(settings: &KafkaSettings, writer: &str, group: &str) -> Result<Self, KafkaError> {
        let (producer, deliveries) =
            Producer::new(settings, &settings.dead_letter_topic(), writer)?;
        Ok(Self {
            producer,
            deliveries,
            settings: settings.clone(),
            writer: writer.to_owned(),
            group: group.to_owned(),
        })
    }

    /// Puts messages aside; returns once every one of them is confirmed. After an error, putting
    /// the same messages aside again is right: a letter may then be there twice.
    pub async fn put(&mut self, letters: &[DeadLetter]) -> Result<(), KafkaError> {
        let originals = self.original_headers(letters).await?;
        let mut waiting = 0_usize;
        let mut outcome = Ok(());
        for letter in letters {
            let original = originals.get(&(letter.partition, letter.offset));
            let original = original.cloned().unwrap_or_default();
            match self.send(letter, &original, &mut waiting).await {
                Ok(()) => waiting += 1,
                Err(refused) => {
                    if matches!(refused, Refused::Fatal(_)) {
                        self.deliveries = self.producer.renew()?;
                        waiting = 0;
                    }
                    outcome = Err(self.error(&refused.to_string()));
                    break;
                }
            }
        }
        while waiting > 0 {
            waiting -= 1;
            outcome = self.confirmed().await.and(outcome);
        }
        outcome
    }

    /// Sends one letter; while the queue is full, waits for others to be confirmed.
    async fn send(
        &mut self,
        letter: &DeadLetter,
        Headers { readable, raw }: &Headers,
        waiting: &mut usize,
    ) -> Result<(), Refused> {
        let told = headers::of_error(letter, &self.settings.topic, &self.writer, readable);
        let original = readable
            .iter()
            .filter(|(name, _)| raw.is_none() && name != headers::ATTEMPTS)
            .map(|(name, value)| (name.as_str(), value.as_deref()));
        let told = told
            .iter()
            .map(|(name, value)| (*name, Some(value.as_bytes())));
        let headers: Vec<_> = original.chain(told).collect();
        loop {
            let outgoing = Outgoing {
                key: letter.key.as_deref(),
                payload: letter.payload.as_deref(),
                headers: &headers,
            };
            let sent = match raw {
                Some(raw) => self.producer.send_behind(raw.clone(), 0, outgoing),
                None => self.producer.send(0, outgoing),
            };
            match sent {
                Err(Refused::QueueFull) if *waiting > 0 => {
                    *waiting -= 1;
                    self.confirmed().await.map_err(Refused::Message)?;
                }
                sent => return sent,
            }
        }
    }

    async fn confirmed(&mut self) -> Result<(), KafkaError> {
        match self.deliveries.recv().await {
            Some(delivery) => delivery
                .result
                .map_err(|error| self.error(&error.to_string())),
            None => Err(self.error("the producer has ended")),
        }
    }

    /// Reads the headers of the messages: hardly any message needs them, so they were left in the
    /// topic. Those of a message that the topic no longer has are gone.
    async fn original_headers(
        &self,
        letters: &[DeadLetter],
    ) -> Result<HashMap<(i32, i64), Headers>, KafkaError> {
        let mut wanted: HashMap<i32, Vec<i64>> = HashMap::new();
        for letter in letters {
            wanted
                .entry(letter.partition)
                .or_default()
                .push(letter.offset);
        }
        let reader = Reader::new(&self.settings, &self.writer, &self.group)?;
        let topic = self.settings.topic.clone();
        let reading = tokio::task::spawn_blocking(move || headers_of(&reader, &topic, wanted));
        let found = reading
            .await
            .unwrap_or_else(|panic| Err(KafkaError::Fatal(panic.to_string())))?;
        if found.len() < letters.len() {
            let missing = letters.len() - found.len();
            tracing::warn!(
                missing,
                "messages are gone from the topic: their headers are lost"
            );
        }
        Ok(found)
    }

    fn error(&self, reason: &str) -> KafkaError {
        KafkaError::DeadLetter {
            topic: self.settings.dead_letter_topic(),
            reason: reason.to_owned(),
        }
    }
}

fn headers_of(
    reader: &Reader,
    topic: &str,
    wanted: HashMap<i32, Vec<i64>>,
) -> Result<HashMap<(i32, i64), Headers>, KafkaError> {
    let mut found = HashMap::new();
    for (partition, mut offsets) in wanted {
        offsets.sort_unstable();
        let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else {
            continue;
        };
        reader.read((topic, partition), *first..last + 1, |message| {
            if offsets.binary_search(&message.offset()).is_ok() {
                found.insert((partition, message.offset()), Headers::of(message));
            }
            ControlFlow::Continue(())
        })?;
    }
    Ok(found)
}

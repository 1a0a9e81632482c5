//! Messages that cannot be stored, put aside where an operator finds them.
//!
//! Key, value and headers stay as they were; what happened is told in the headers that Kafka
//! Connect uses for the same purpose, so that tools for its dead-letter queues work here too.

use crate::consumer::Received;
use crate::error::KafkaError;
use crate::producer::{Deliveries, Outgoing, Producer, Refused};
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
}

/// A message to put aside, and why.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// The message as it was read.
    pub message: Received,
    /// Where it failed.
    pub stage: Stage,
    /// A short, stable name of the reason.
    pub class: String,
    /// The reason in words.
    pub reason: String,
}

impl DeadLetter {
    fn error_headers(&self, writer: &str) -> [(&'static str, String); 8] {
        [
            ("__connect.errors.topic", self.message.topic.clone()),
            (
                "__connect.errors.partition",
                self.message.partition.to_string(),
            ),
            ("__connect.errors.offset", self.message.offset.to_string()),
            ("__connect.errors.connector.name", "sink".to_owned()),
            ("__connect.errors.task.id", writer.to_owned()),
            ("__connect.errors.stage", self.stage.as_str().to_owned()),
            ("__connect.errors.exception.class.name", self.class.clone()),
            ("__connect.errors.exception.message", self.reason.clone()),
        ]
    }
}

/// The writing end of the dead-letter topic.
pub struct DeadLetters {
    producer: Producer,
    deliveries: Deliveries,
    topic: String,
    writer: String,
}

impl DeadLetters {
    /// Makes a writer; `writer` names it in the headers.
    pub fn new(settings: &KafkaSettings, writer: &str) -> Result<Self, KafkaError> {
        let topic = settings.dead_letter_topic();
        let (producer, deliveries) = Producer::new(settings, &topic, writer)?;
        Ok(Self {
            producer,
            deliveries,
            topic,
            writer: writer.to_owned(),
        })
    }

    /// Puts messages aside; returns once every one of them is confirmed. After an error, putting
    /// the same messages aside again is right: a letter may then be there twice.
    pub async fn put(&mut self, letters: &[DeadLetter]) -> Result<(), KafkaError> {
        let mut outcome = Ok(());
        let mut waiting = 0_usize;
        for letter in letters {
            match self.send(letter) {
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
            let Some(delivery) = self.deliveries.recv().await else {
                break;
            };
            waiting -= 1;
            if let Err(error) = delivery.result {
                outcome = Err(self.error(&error.to_string()));
            }
        }
        outcome
    }

    fn send(&self, letter: &DeadLetter) -> Result<(), Refused> {
        let errors = letter.error_headers(&self.writer);
        let original = letter
            .message
            .headers
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_deref()));
        let told = errors
            .iter()
            .map(|(key, value)| (*key, Some(value.as_bytes())));
        let headers: Vec<_> = original.chain(told).collect();
        self.producer.send(
            0,
            Outgoing {
                key: letter.message.key.as_deref(),
                payload: letter.message.payload.as_deref(),
                headers: &headers,
            },
        )
    }

    fn error(&self, reason: &str) -> KafkaError {
        KafkaError::DeadLetter {
            topic: self.topic.clone(),
            reason: reason.to_owned(),
        }
    }
}

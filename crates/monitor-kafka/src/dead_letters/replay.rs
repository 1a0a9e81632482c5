//! Sending dead letters back to where they came from.

use super::headers;
use super::letter::Letter;
use crate::error::KafkaError;
use crate::producer::{Deliveries, Outgoing, Producer};
use crate::settings::KafkaSettings;

/// Sends messages back to the topic of check events, and marks their letters.
///
/// A topic cannot be changed, so a letter stays where it is; a record behind it, without a value,
/// says that it was replayed. It lies in the same partition, because it has to be found by whoever
/// has read the letter.
pub struct Replayer {
    back: (Producer, Deliveries),
    marks: (Producer, Deliveries),
    settings: KafkaSettings,
}

impl Replayer {
    /// Makes one.
    pub fn new(settings: &KafkaSettings) -> Result<Self, KafkaError> {
        Ok(Self {
            back: Producer::new(settings, &settings.topic, "admin")?,
            marks: Producer::new(settings, &settings.dead_letter_topic(), "admin")?,
            settings: settings.clone(),
        })
    }

    /// Sends key, value and headers of the message as they were, except headers whose names are no
    /// text; returns once the topic of check events has confirmed it and the letter is marked. After
    /// an error, replaying again is right: the message may then be there twice, which the sink tells.
    pub async fn replay(&mut self, letter: &Letter) -> Result<(), KafkaError> {
        let attempts = letter.attempts.unwrap_or(1).to_string();
        let original = headers::original(&letter.headers).iter();
        let original = original.map(|(name, value)| (name.as_str(), value.as_deref()));
        let counted = [(headers::ATTEMPTS, Some(attempts.as_bytes()))];
        let headers: Vec<_> = original.chain(counted).collect();
        let message = Outgoing {
            key: letter.key.as_deref(),
            payload: letter.value.as_deref(),
            headers: &headers,
        };
        let sent = self.back.0.send(0, message);
        confirmed(sent, &mut self.back.1, &self.settings.topic).await?;

        let place = format!("{}/{}", letter.partition, letter.offset);
        let mark = Outgoing {
            key: letter.key.as_deref(),
            payload: None,
            headers: &[(headers::REPLAYED, Some(place.as_bytes()))],
        };
        let sent = self.marks.0.send_to(letter.partition, 0, mark);
        let topic = self.settings.dead_letter_topic();
        confirmed(sent, &mut self.marks.1, &topic).await
    }
}

async fn confirmed(
    sent: Result<(), crate::Refused>,
    deliveries: &mut Deliveries,
    topic: &str,
) -> Result<(), KafkaError> {
    let problem = |problem: String| KafkaError::Topic {
        topic: topic.to_owned(),
        problem: format!("cannot be written: {problem}"),
    };
    sent.map_err(|error| problem(error.to_string()))?;
    match deliveries.recv().await {
        Some(delivery) => delivery.result.map_err(|error| problem(error.to_string())),
        None => Err(problem("the producer has ended".to_owned())),
    }
}

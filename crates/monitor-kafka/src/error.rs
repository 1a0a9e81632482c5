//! What can go wrong between us and Kafka.

/// An error of a Kafka client, told so that an operator can act on it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KafkaError {
    /// No broker could be talked to.
    #[error("cannot reach Kafka at {brokers}: {reason}")]
    Unreachable {
        /// The bootstrap brokers.
        brokers: String,
        /// The client's last word on why.
        reason: String,
    },
    /// The topic does not exist.
    #[error(
        "topic {topic:?} does not exist at {brokers}: create it with `admin topics create`, \
         or set KAFKA_TOPIC"
    )]
    MissingTopic {
        /// Its name.
        topic: String,
        /// The bootstrap brokers.
        brokers: String,
    },
    /// A topic that exists is not as it should be.
    #[error("topic {topic:?}: {problem}")]
    Topic {
        /// Its name.
        topic: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A message for the dead-letter topic was not confirmed.
    #[error("cannot put a message into the dead-letter topic {topic:?}: {reason}")]
    DeadLetter {
        /// Name of the dead-letter topic.
        topic: String,
        /// Why the broker did not take it.
        reason: String,
    },
    /// The files of the certificates have changed, and no client can be made with them.
    #[error("the certificates for Kafka cannot be used: {0}")]
    Certificates(String),
    /// The client cannot go on and has to be made anew.
    #[error("the Kafka client has failed for good: {0}")]
    Fatal(String),
    /// Any other trouble of the client.
    #[error("{doing}: {source}")]
    Client {
        /// What was attempted.
        doing: &'static str,
        /// The client's error.
        source: rdkafka::error::KafkaError,
    },
}

impl KafkaError {
    /// Whether a message, or the batch that it was in, was larger than the broker or the client
    /// takes.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        let Self::Client { source, .. } = self else {
            return false;
        };
        source.rdkafka_error_code() == Some(rdkafka::types::RDKafkaErrorCode::MessageSizeTooLarge)
    }

    /// Wraps a client error with what was attempted.
    pub(crate) fn doing(
        doing: &'static str,
    ) -> impl FnOnce(rdkafka::error::KafkaError) -> KafkaError {
        move |source| Self::Client { doing, source }
    }
}

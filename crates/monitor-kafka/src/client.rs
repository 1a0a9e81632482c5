//! What all clients share: logs, and the state of the connection.

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientContext, Statistics};
use tokio::sync::watch;

use crate::link::{Link, LinkState};

/// Receives what librdkafka has to say about one client. `role` adds what only a producer or only
/// a consumer is told.
pub(crate) struct Context<R> {
    pub(crate) link: LinkState,
    pub(crate) role: R,
}

impl<R> Context<R> {
    pub(crate) fn new(role: R) -> (Self, watch::Receiver<Link>) {
        let (link, receiver) = LinkState::new();
        (Self { link, role }, receiver)
    }

    /// Why the last connection failed, as far as the client has said.
    pub(crate) fn reason(&self) -> Option<String> {
        match self.link.current() {
            Link::Down(reason) => Some(reason),
            Link::Connecting | Link::Up => None,
        }
    }
}

impl<R: Send + Sync + 'static> ClientContext for Context<R> {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // What matters comes again through `error`, once; the log repeats it at every attempt.
        tracing::debug!(?level, facility, "kafka client: {message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.link.down(&explain(&error, reason));
    }

    /// Statistics are the only place where librdkafka tells that a broker is back.
    fn stats(&self, statistics: Statistics) {
        let connected = |state: &str| matches!(state, "UP" | "UPDATE");
        if statistics
            .brokers
            .values()
            .any(|broker| connected(&broker.state))
        {
            self.link.up();
        }
    }
}

/// Puts a hint beside the errors whose own words do not say what to look at.
fn explain(error: &KafkaError, reason: &str) -> String {
    let reason = reason.trim();
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::SSL) => {
            format!("{reason} (look at KAFKA_SSL_CA, KAFKA_SSL_CERT and KAFKA_SSL_KEY)")
        }
        Some(RDKafkaErrorCode::Authentication) => {
            format!("{reason} (look at KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD)")
        }
        _ => reason.to_owned(),
    }
}

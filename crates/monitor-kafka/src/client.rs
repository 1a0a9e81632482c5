//! What all clients share: logs, and the state of the connection.

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientContext, Statistics};

use crate::link::LinkState;

/// Receives what librdkafka has to say about one client. `role` adds what only a producer or only
/// a consumer is told.
pub(crate) struct Context<R> {
    pub(crate) link: LinkState,
    pub(crate) role: R,
}

impl<R> Context<R> {
    pub(crate) fn new(role: R) -> Self {
        Self {
            link: LinkState::new(),
            role,
        }
    }
}

/// What only one kind of client wants to hear of.
pub(crate) trait Role: Send + Sync + 'static {
    /// A line of the client's log, on any thread of the client.
    fn log(&self, _line: &str) {}

    /// Once a second.
    fn statistics(&self, _statistics: &Statistics) {}
}

impl<R: Role> ClientContext for Context<R> {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // What matters comes again through `error`, once; the log repeats it at every attempt.
        tracing::debug!(?level, facility, "kafka client: {message}");
        self.role.log(message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let reason = reason.trim();
        match hint(&error, reason) {
            Some(hint) => self.link.note_cause(&format!("{reason} ({hint})")),
            None => self.link.note(reason),
        }
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            self.link.none_connected();
        }
    }

    /// Statistics are the only place where librdkafka tells that a broker is back.
    fn stats(&self, statistics: Statistics) {
        let connected = |state: &str| matches!(state, "UP" | "UPDATE");
        let mut brokers = statistics.brokers.values();
        if brokers.any(|broker| connected(&broker.state)) {
            self.link.up();
        } else {
            self.link.none_connected();
        }
        self.role.statistics(&statistics);
    }
}

/// What to look at, for errors whose own words do not say so.
fn hint(error: &KafkaError, reason: &str) -> Option<&'static str> {
    let code = error.rdkafka_error_code();
    // With TLS 1.3 a broker refuses a client's certificate only after the handshake: the alert then
    // comes as a broken connection, and only its words tell.
    if code == Some(RDKafkaErrorCode::SSL) || reason.contains("SSL alert") {
        return Some("look at KAFKA_SSL_CA, KAFKA_SSL_CERT and KAFKA_SSL_KEY");
    }
    (code == Some(RDKafkaErrorCode::Authentication))
        .then_some("look at KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_with_certificates_and_passwords_names_the_variables() {
        use RDKafkaErrorCode::{Authentication, BrokerTransportFailure, SSL};
        let alert = "Receive failed: sslv3 alert bad certificate: SSL alert number 42";
        for (code, reason, named) in [
            (SSL, "SSL handshake failed", "KAFKA_SSL_CA"),
            (BrokerTransportFailure, alert, "KAFKA_SSL_CERT"),
            (Authentication, "SASL failed", "KAFKA_SASL_PASSWORD"),
        ] {
            let hint = hint(&KafkaError::Global(code), reason);
            assert!(hint.is_some_and(|hint| hint.contains(named)));
        }
        let refused = hint(&KafkaError::Global(BrokerTransportFailure), "refused");
        assert_eq!(refused, None);
    }
}

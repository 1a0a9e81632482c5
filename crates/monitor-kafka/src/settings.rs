//! The environment of a Kafka client, and the client configuration that follows from it.

use std::path::PathBuf;

use chrono::Utc;
use monitor_config::{Problem, Secret, Section, Variable};
use rdkafka::ClientConfig;
use serde::Deserialize;

use crate::security;

/// How to reach Kafka, and as whom.
#[derive(Clone, Debug, Deserialize)]
pub struct KafkaSettings {
    #[serde(deserialize_with = "monitor_config::list")]
    brokers: Vec<String>,
    security_protocol: SecurityProtocol,
    #[serde(default)]
    ssl_ca: Option<PathBuf>,
    #[serde(default)]
    ssl_cert: Option<PathBuf>,
    #[serde(default)]
    ssl_key: Option<PathBuf>,
    sasl_mechanism: SaslMechanism,
    #[serde(default)]
    sasl_username: Option<String>,
    #[serde(default)]
    sasl_password: Option<Secret>,
    /// Topic of check events; dead letters go to the same name with `.dlq`.
    pub topic: String,
}

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecurityProtocol {
    /// Not at all.
    Plaintext,
    /// By TLS; with a certificate and key the client authenticates itself.
    Ssl,
    /// By TLS, and the client authenticates itself by user name and password.
    SaslSsl,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum SaslMechanism {
    #[serde(rename = "PLAIN")]
    Plain,
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
}

impl Section for KafkaSettings {
    const PREFIX: &'static str = "KAFKA_";
    const VARIABLES: &'static [Variable] = &[
        Variable::required(
            "KAFKA_BROKERS",
            "host:port of one or more brokers, comma separated",
        )
        .example("localhost:9092"),
        Variable::with_default(
            "KAFKA_SECURITY_PROTOCOL",
            "plaintext",
            "plaintext, ssl or sasl_ssl",
        ),
        Variable::optional(
            "KAFKA_SSL_CA",
            "certificate authority of the brokers, PEM file",
        )
        .example(".keys/ca.pem"),
        Variable::optional("KAFKA_SSL_CERT", "certificate of this client, PEM file")
            .example(".keys/service.cert"),
        Variable::optional("KAFKA_SSL_KEY", "private key of this client, PEM file")
            .example(".keys/service.key"),
        Variable::with_default(
            "KAFKA_SASL_MECHANISM",
            "SCRAM-SHA-256",
            "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
        ),
        Variable::optional("KAFKA_SASL_USERNAME", "user name for sasl_ssl"),
        Variable::optional("KAFKA_SASL_PASSWORD", "password for sasl_ssl").secret(),
        Variable::with_default(
            "KAFKA_TOPIC",
            "monitor.checks",
            "topic of check events; dead letters go to the same name with .dlq",
        ),
    ];

    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut problem = |variable: &str, message: String| {
            problems.push(Problem::new(variable, message));
        };
        if self.brokers.is_empty() {
            problem("KAFKA_BROKERS", "names no broker".to_owned());
        }
        for broker in self
            .brokers
            .iter()
            .filter(|broker| !is_host_and_port(broker))
        {
            problem("KAFKA_BROKERS", format!("{broker:?} is not host:port"));
        }
        if !is_topic_name(&self.topic) {
            let rule = "has 1 to 245 letters, digits, '.', '_' or '-'";
            problem(
                "KAFKA_TOPIC",
                format!("{:?} is not a topic name: it {rule}", self.topic),
            );
        }
        if self.security_protocol == SecurityProtocol::Plaintext {
            self.unprotected_credentials(&mut problem);
        } else {
            self.unusable_files(&mut problem);
        }
        if self.security_protocol == SecurityProtocol::SaslSsl {
            self.missing_credentials(&mut problem);
        }
        problems
    }
}

impl KafkaSettings {
    /// The bootstrap brokers, comma separated.
    #[must_use]
    pub fn brokers(&self) -> String {
        self.brokers.join(",")
    }

    /// Topic of messages that could not be stored.
    #[must_use]
    pub fn dead_letter_topic(&self) -> String {
        format!("{}.dlq", self.topic)
    }

    /// Logs what about the credentials calls for attention, such as a certificate that has expired:
    /// the broker alone decides whether it lets us in, so this stops nothing.
    pub fn log_warnings(&self) {
        if let Some(cert) = &self.ssl_cert {
            security::warn_about_expiry("KAFKA_SSL_CERT", cert, Utc::now());
        }
        if let Some(ca) = &self.ssl_ca {
            security::warn_about_expiry("KAFKA_SSL_CA", ca, Utc::now());
        }
    }

    /// The files that a client reads when it is made.
    pub(crate) fn certificate_files(&self) -> Vec<PathBuf> {
        let files = [&self.ssl_ca, &self.ssl_cert, &self.ssl_key];
        files.into_iter().flatten().cloned().collect()
    }

    /// What every client of ours has in common.
    pub(crate) fn client_config(&self, client_id: &str) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", self.brokers())
            .set("client.id", client_id)
            .set("allow.auto.create.topics", "false")
            .set("socket.keepalive.enable", "true")
            // A connection may have died without a word. The default waits a minute for an answer.
            .set("socket.timeout.ms", "10000")
            .set("socket.connection.setup.timeout.ms", "10000")
            .set("reconnect.backoff.max.ms", "2000")
            .set("statistics.interval.ms", "1000");
        if self.security_protocol != SecurityProtocol::Plaintext {
            self.apply_tls(&mut config);
        }
        if self.security_protocol == SecurityProtocol::SaslSsl {
            self.apply_sasl(&mut config);
        }
        config
    }

    fn apply_tls(&self, config: &mut ClientConfig) {
        config
            .set("security.protocol", "ssl")
            .set("enable.ssl.certificate.verification", "true")
            .set("ssl.endpoint.identification.algorithm", "https");
        for (key, path) in [
            ("ssl.ca.location", &self.ssl_ca),
            ("ssl.certificate.location", &self.ssl_cert),
            ("ssl.key.location", &self.ssl_key),
        ] {
            if let Some(path) = path {
                config.set(key, path.to_string_lossy());
            }
        }
    }

    fn apply_sasl(&self, config: &mut ClientConfig) {
        let mechanism = match self.sasl_mechanism {
            SaslMechanism::Plain => "PLAIN",
            SaslMechanism::ScramSha256 => "SCRAM-SHA-256",
            SaslMechanism::ScramSha512 => "SCRAM-SHA-512",
        };
        config
            .set("security.protocol", "sasl_ssl")
            .set("sasl.mechanism", mechanism);
        if let (Some(username), Some(password)) = (&self.sasl_username, &self.sasl_password) {
            config
                .set("sasl.username", username)
                .set("sasl.password", password.expose());
        }
    }

    fn unprotected_credentials(&self, problem: &mut impl FnMut(&str, String)) {
        let set = [
            ("KAFKA_SSL_CA", self.ssl_ca.is_some()),
            ("KAFKA_SSL_CERT", self.ssl_cert.is_some()),
            ("KAFKA_SSL_KEY", self.ssl_key.is_some()),
            ("KAFKA_SASL_PASSWORD", self.sasl_password.is_some()),
        ];
        for (variable, _) in set.into_iter().filter(|(_, is_set)| *is_set) {
            let hint = "set it to ssl or sasl_ssl";
            problem(
                variable,
                format!("is not used, as KAFKA_SECURITY_PROTOCOL is plaintext: {hint}"),
            );
        }
    }

    fn unusable_files(&self, problem: &mut impl FnMut(&str, String)) {
        let certificates = [
            ("KAFKA_SSL_CA", &self.ssl_ca),
            ("KAFKA_SSL_CERT", &self.ssl_cert),
        ];
        for (variable, path) in certificates {
            if let Some(trouble) = path.as_deref().and_then(security::certificate_problem) {
                problem(variable, trouble);
            }
        }
        if let Some(trouble) = self.ssl_key.as_deref().and_then(security::key_problem) {
            problem("KAFKA_SSL_KEY", trouble);
        }
        match (&self.ssl_cert, &self.ssl_key) {
            (Some(_), None) => {
                problem(
                    "KAFKA_SSL_KEY",
                    "missing: KAFKA_SSL_CERT needs its key".to_owned(),
                );
            }
            (None, Some(_)) => {
                problem(
                    "KAFKA_SSL_CERT",
                    "missing: KAFKA_SSL_KEY needs its certificate".to_owned(),
                );
            }
            _ => {}
        }
    }

    fn missing_credentials(&self, problem: &mut impl FnMut(&str, String)) {
        let needed = [
            ("KAFKA_SASL_USERNAME", self.sasl_username.is_none()),
            ("KAFKA_SASL_PASSWORD", self.sasl_password.is_none()),
        ];
        for (variable, _) in needed.into_iter().filter(|(_, is_missing)| *is_missing) {
            problem(
                variable,
                "missing: KAFKA_SECURITY_PROTOCOL is sasl_ssl".to_owned(),
            );
        }
    }
}

fn is_host_and_port(broker: &str) -> bool {
    let Some((host, port)) = broker.rsplit_once(':') else {
        return false;
    };
    !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Kafka's rule, less the four characters of `.dlq`.
fn is_topic_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=245).contains(&name.len()) && name != "." && name != ".." && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use monitor_config::Environment;

    use super::*;

    fn load(pairs: &[(&str, &str)]) -> Result<KafkaSettings, String> {
        Environment::from_pairs(pairs.iter().copied())
            .load::<KafkaSettings>()
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_broker_is_enough() {
        let settings = load(&[("KAFKA_BROKERS", "a:9092, [::1]:9093")]).unwrap();
        assert_eq!(settings.brokers(), "a:9092,[::1]:9093");
        assert_eq!(settings.dead_letter_topic(), "monitor.checks.dlq");
        assert_eq!(settings.client_config("x").get("security.protocol"), None);
    }

    #[test]
    fn contradictions_are_named_together() {
        let error = load(&[
            ("KAFKA_BROKERS", "nowhere,http://h:1"),
            ("KAFKA_TOPIC", "a b"),
            ("KAFKA_SECURITY_PROTOCOL", "sasl_ssl"),
            ("KAFKA_SSL_CA", "no/such/ca.pem"),
            ("KAFKA_SSL_CERT", "Cargo.toml"),
            ("KAFKA_SASL_USERNAME", "monitor"),
        ])
        .unwrap_err();
        for named in [
            "\"nowhere\" is not host:port",
            "\"http://h:1\" is not host:port",
            "\"a b\" is not a topic name",
            "cannot read no/such/ca.pem",
            "Cargo.toml holds no certificate",
            "KAFKA_SSL_CERT needs its key",
            "KAFKA_SASL_PASSWORD",
        ] {
            assert!(error.contains(named), "{named} in {error}");
        }
    }

    #[test]
    fn credentials_are_never_sent_in_the_clear_by_oversight() {
        let error =
            load(&[("KAFKA_BROKERS", "a:1"), ("KAFKA_SASL_PASSWORD", "hunter2")]).unwrap_err();
        assert!(
            error.contains("KAFKA_SECURITY_PROTOCOL is plaintext"),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn the_table_fits_the_struct() {
        assert_eq!(
            monitor_config::table_mistakes::<KafkaSettings>(),
            Vec::<String>::new()
        );
    }
}

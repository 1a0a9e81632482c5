//! The settings that every service has.

use std::net::SocketAddr;
use std::time::Duration;

use monitor_config::{Problem, Section, Variable};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The sections that [`service_main`](crate::service_main) reads for itself.
pub type RuntimeSettings = (OpsSettings, LogSettings, ShutdownSettings, WorkerSettings);

/// Where the service answers its operators.
#[derive(Debug, Clone, Deserialize)]
pub struct OpsSettings {
    /// Address of `/livez`, `/readyz` and `/metrics`.
    #[serde(deserialize_with = "monitor_config::socket_address")]
    pub listen: SocketAddr,
}

impl Section for OpsSettings {
    const PREFIX: &'static str = "OPS_";
    const VARIABLES: &'static [Variable] = &[Variable::with_default(
        "OPS_LISTEN",
        "127.0.0.1:0",
        "address of /livez, /readyz and /metrics; port 0 takes a free one and logs it",
    )];
}

/// What is logged, and how.
#[derive(Debug, Clone, Deserialize)]
pub struct LogSettings {
    /// Which events are logged.
    pub log: LogFilter,
    /// How an event is written.
    pub log_format: LogFormat,
}

impl Section for LogSettings {
    const PREFIX: &'static str = "";
    const OWNED_PREFIX: &'static str = "LOG_";
    const VARIABLES: &'static [Variable] = &[
        Variable::with_default(
            "LOG",
            "info",
            "what is logged: a level, or levels by target such as info,checker=debug",
        ),
        Variable::with_default(
            "LOG_FORMAT",
            "pretty",
            "pretty, or json with one object per line",
        ),
    ];
}

/// How an event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text for people.
    Pretty,
    /// One JSON object per line, for machines.
    Json,
}

/// A list of directives that the log filter understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// Checks `directives`: `info`, or `info,checker=debug`.
    ///
    /// A word without a level would be read as the name of a target to be logged in full, so that
    /// a misspelt level logged nearly nothing. It is refused.
    #[must_use]
    pub fn parse(directives: &str) -> Option<Self> {
        let parts: Vec<&str> = directives.split(',').map(str::trim).collect();
        // An empty part counts as `error` to the parser: `info,,debug` is a slip, not a wish.
        let complete = |part: &&str| {
            part.contains(['=', '[']) || (!part.is_empty() && part.parse::<LevelFilter>().is_ok())
        };
        if !parts.iter().all(complete) {
            return None;
        }
        let directives = parts.join(",");
        EnvFilter::try_new(&directives)
            .is_ok()
            .then_some(Self(directives))
    }

    /// The directives.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for LogFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).ok_or_else(|| {
            D::Error::custom(
                "expected off, error, warn, info, debug or trace, or such levels by target: \
                 info,checker=debug",
            )
        })
    }
}

/// How long a service may take to stop.
#[derive(Debug, Clone, Deserialize)]
pub struct ShutdownSettings {
    /// Time between the request to stop and the moment when running tasks are aborted.
    #[serde(deserialize_with = "monitor_config::duration")]
    pub grace: Duration,
}

impl Section for ShutdownSettings {
    const PREFIX: &'static str = "SHUTDOWN_";
    const VARIABLES: &'static [Variable] = &[Variable::with_default(
        "SHUTDOWN_GRACE",
        "10s",
        "time to finish what is running after SIGTERM; then it is aborted",
    )];
}

/// Who does the work.
#[derive(Debug, Clone, Deserialize)]
pub struct WorkerSettings {
    /// Threads that work. Tasks on one thread never wake another: each costs less than on several.
    pub worker_threads: usize,
}

impl Section for WorkerSettings {
    const PREFIX: &'static str = "";
    const OWNED_PREFIX: &'static str = "WORKER_";
    const VARIABLES: &'static [Variable] = &[Variable::with_default(
        "WORKER_THREADS",
        "1",
        "threads that work; more than one pays only when one is busy all the time",
    )];

    fn validate(&self) -> Vec<Problem> {
        let none = self.worker_threads == 0;
        none.then(|| Problem::new("WORKER_THREADS", "must be at least 1"))
            .into_iter()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use monitor_config::{Environment, table_mistakes};

    use super::*;

    #[test]
    fn the_tables_agree_with_their_structs() {
        assert_eq!(table_mistakes::<OpsSettings>(), [""; 0]);
        assert_eq!(table_mistakes::<LogSettings>(), [""; 0]);
        assert_eq!(table_mistakes::<ShutdownSettings>(), [""; 0]);
        assert_eq!(table_mistakes::<WorkerSettings>(), [""; 0]);
    }

    #[test]
    fn log_directives_are_levels_and_levels_by_target() {
        for good in [
            "info",
            "off",
            "WARN",
            "info,checker=debug",
            "warn, my_crate[span]=trace",
        ] {
            assert!(LogFilter::parse(good).is_some(), "{good}");
        }
        for bad in ["inof", "info,checker", "checker=loud", "info,,debug"] {
            assert!(LogFilter::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_bad_directive_is_a_problem_of_the_configuration() {
        let environment = Environment::from_pairs([("LOG", "inof"), ("LOG_FORMAT", "xml")]);
        let message = environment
            .load::<RuntimeSettings>()
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("LOG=inof: expected off, error"),
            "{message}"
        );
        assert!(
            message.contains("LOG_FORMAT=xml: expected one of pretty, json"),
            "{message}"
        );
    }
}

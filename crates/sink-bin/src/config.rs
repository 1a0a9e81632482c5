//! Command line and environment of the sink.

use std::time::Duration;

use monitor_config::{Problem, Section, Variable};
use serde::Deserialize;

/// What the command line adds.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Store what the topic holds now, bring the rollups up to date, and exit
    #[arg(long)]
    pub(crate) once: bool,
}

/// The sink's own settings.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SinkSettings {
    /// Consumer group.
    pub(crate) group: String,
    /// Most events in a batch.
    pub(crate) batch_max_events: usize,
    /// Longest time that an event waits for its batch to fill.
    #[serde(deserialize_with = "monitor_config::duration")]
    pub(crate) batch_max_wait: Duration,
    /// How long the group waits for a sign of life of a sink.
    #[serde(deserialize_with = "monitor_config::duration")]
    pub(crate) session_timeout: Duration,
}

impl SinkSettings {
    /// Most messages that are handed over at a time: a part of a batch, so that a batch can be
    /// filled closely without ever exceeding its limit.
    pub(crate) fn chunk_size(&self) -> usize {
        (self.batch_max_events / 20).max(1)
    }
}

impl Section for SinkSettings {
    const PREFIX: &'static str = "SINK_";
    const VARIABLES: &'static [Variable] = &[
        Variable::with_default(
            "SINK_GROUP",
            "monitor-sink",
            "consumer group; sinks of one group share the partitions",
        ),
        Variable::with_default(
            "SINK_BATCH_MAX_EVENTS",
            "20000",
            "most events in one transaction",
        ),
        Variable::with_default(
            "SINK_BATCH_MAX_WAIT",
            "20ms",
            "longest time that an event waits for its batch to fill while the database is free",
        ),
        Variable::with_default(
            "SINK_SESSION_TIMEOUT",
            "45s",
            "time without a sign of life after which the group gives a sink's partitions to others",
        ),
    ];

    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !(1..=100_000).contains(&self.batch_max_events) {
            problems.push(Problem::new(
                "SINK_BATCH_MAX_EVENTS",
                "must be from 1 to 100000",
            ));
        }
        if self.batch_max_wait > Duration::from_secs(10) {
            problems.push(Problem::new("SINK_BATCH_MAX_WAIT", "must be at most 10s"));
        }
        let session = Duration::from_secs(3)..=Duration::from_mins(30);
        if !session.contains(&self.session_timeout) {
            let range = "must be from 3s to 30m; brokers take from 6s unless told otherwise";
            problems.push(Problem::new("SINK_SESSION_TIMEOUT", range));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use monitor_config::{table_mistakes, template_mistakes};
    use monitor_kafka::KafkaSettings;
    use monitor_runtime::RuntimeSettings;
    use monitor_store::DatabaseSettings;

    use super::*;
    use crate::retention::RetentionSettings;

    #[test]
    fn the_table_fits_the_struct() {
        assert_eq!(table_mistakes::<SinkSettings>(), [""; 0]);
    }

    #[test]
    fn the_template_is_a_configuration_of_this_program() {
        type All = (
            DatabaseSettings,
            KafkaSettings,
            SinkSettings,
            RetentionSettings,
            RuntimeSettings,
        );
        let template = include_str!("../../../.env.template");
        assert_eq!(template_mistakes::<All>(template), [""; 0]);
    }
}

//! How long things are kept.

use std::time::Duration;

use monitor_config::{Problem, Section, Variable};
use monitor_kafka::{KafkaSettings, topics};
use monitor_store::maintenance::Retention;
use serde::Deserialize;

const DAY: Duration = Duration::from_hours(24);

/// How long checks and rollups are kept; `None` is for ever.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct RetentionSettings {
    #[serde(deserialize_with = "monitor_config::retention")]
    pub(crate) raw: Option<Duration>,
    #[serde(deserialize_with = "monitor_config::retention")]
    rollup: Option<Duration>,
}

impl RetentionSettings {
    /// Warns when the topic keeps events for longer than the database keeps checks. That is all that
    /// comes of it, so not being able to tell is no trouble.
    pub(crate) async fn compare_with_topic(self, kafka: &KafkaSettings) {
        match topics::retention(kafka).await {
            Err(error) => tracing::debug!("cannot compare RETENTION_RAW with the topic: {error}"),
            Ok(topic) => {
                if let Some(warning) = self.warning(topic) {
                    tracing::warn!("{warning}");
                }
            }
        }
    }

    /// What to think of a topic that keeps events so long; `None` is for ever.
    fn warning(self, topic: Option<Duration>) -> Option<String> {
        let raw = self.raw?;
        if topic.is_some_and(|topic| topic < raw) {
            return None;
        }
        let topic = topic.map_or("for ever".to_owned(), |topic| {
            format!("for {}", humantime::format_duration(topic))
        });
        let raw = humantime::format_duration(raw);
        Some(format!(
            "the topic keeps events {topic}, RETENTION_RAW is {raw}: an event that is read again \
             after its day was dropped is not in the rollups, and is dropped again; make \
             RETENTION_RAW longer than the topic's retention"
        ))
    }

    /// The same in days.
    pub(crate) fn in_days(self) -> Retention {
        let days = |kept: Duration| kept.as_secs() / DAY.as_secs();
        Retention {
            raw_days: self.raw.map(days),
            rollup_days: self.rollup.map(days),
        }
    }
}

impl Section for RetentionSettings {
    const PREFIX: &'static str = "RETENTION_";
    const VARIABLES: &'static [Variable] = &[
        Variable::with_default(
            "RETENTION_RAW",
            "30d",
            "how long checks are kept, in whole days, or forever; longer than the topic keeps them",
        ),
        Variable::with_default(
            "RETENTION_ROLLUP",
            "400d",
            "how long their hourly and daily rollups are kept, in whole days, or forever",
        ),
    ];

    fn validate(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (name, kept) in [
            ("RETENTION_RAW", self.raw),
            ("RETENTION_ROLLUP", self.rollup),
        ] {
            if kept.is_some_and(|kept| kept < DAY || kept.as_nanos() % DAY.as_nanos() != 0) {
                problems.push(Problem::new(
                    name,
                    "must be whole days, at least 1d, or forever",
                ));
            }
        }
        let shorter = match (self.raw, self.rollup) {
            (Some(raw), Some(rollup)) => rollup < raw,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if shorter {
            let problem = "must not be shorter than RETENTION_RAW";
            problems.push(Problem::new("RETENTION_ROLLUP", problem));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use monitor_config::{Environment, table_mistakes};

    use super::*;

    fn load(raw: &str, rollup: &str) -> Result<Retention, String> {
        let pairs = [("RETENTION_RAW", raw), ("RETENTION_ROLLUP", rollup)];
        let loaded = Environment::from_pairs(pairs).load::<RetentionSettings>();
        loaded
            .map(RetentionSettings::in_days)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_table_fits_the_struct() {
        assert_eq!(table_mistakes::<RetentionSettings>(), [""; 0]);
    }

    #[test]
    fn days_are_read_and_for_ever_is_no_number() {
        let days = |raw_days, rollup_days| Retention {
            raw_days,
            rollup_days,
        };
        assert_eq!(load("1d", "1d"), Ok(days(Some(1), Some(1))));
        assert_eq!(load("30d", "forever"), Ok(days(Some(30), None)));
        assert_eq!(load("forever", "forever"), Ok(days(None, None)));
    }

    #[test]
    fn a_topic_that_keeps_events_for_longer_is_warned_of() {
        let days = |days| Some(DAY * days);
        let warning = |raw, topic| {
            let settings = RetentionSettings { raw, rollup: None };
            settings.warning(topic).unwrap_or_default()
        };
        assert_eq!(warning(days(30), days(29)), "");
        assert_eq!(warning(None, None), "");
        assert!(warning(days(7), days(7)).contains("events for 7days, RETENTION_RAW is 7days"));
        assert!(warning(days(7), None).contains("events for ever"));
    }

    #[test]
    fn what_cannot_be_kept_so_is_told() {
        for (raw, rollup, told) in [
            ("0s", "400d", "RETENTION_RAW"),
            ("36h", "400d", "whole days"),
            ("30d", "1h", "RETENTION_ROLLUP"),
            ("30d", "29d", "shorter than RETENTION_RAW"),
            ("forever", "400d", "shorter than RETENTION_RAW"),
            ("never", "400d", "or forever"),
        ] {
            let error = load(raw, rollup).unwrap_err();
            assert!(error.contains(told), "{raw} {rollup}: {error}");
        }
    }
}

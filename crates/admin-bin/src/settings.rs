//! The environment of one command.

use monitor_config::{Environment, Sections, help_text, tables};
use monitor_kafka::KafkaSettings;
use monitor_runtime::{LogSettings, telemetry};
use monitor_store::DatabaseSettings;

/// Every variable that some command reads, for `--help`.
pub(crate) fn help() -> String {
    help_text(&tables::<(DatabaseSettings, KafkaSettings, LogSettings)>())
}

/// Reads the sections that a command needs, and starts the log, in which the libraries below say
/// what calls for attention.
pub(crate) fn load<S: Sections>(environment: &Environment) -> anyhow::Result<S> {
    let (settings, log) = environment.load::<(S, LogSettings)>()?;
    telemetry::init(&log)?;
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_a_configuration_of_this_program() {
        type All = (DatabaseSettings, KafkaSettings, LogSettings);
        let template = include_str!("../../../.env.template");
        assert_eq!(monitor_config::template_mistakes::<All>(template), [""; 0]);
    }
}

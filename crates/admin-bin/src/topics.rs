//! `admin topics`.

use std::time::Duration;

use clap::{Args, Subcommand};
use monitor_config::Environment;
use monitor_kafka::KafkaSettings;
use monitor_kafka::topics::{self, Creation, TopicOptions};

use crate::output::print;
use crate::settings;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create the topics that do not exist yet
    Create(Create),
    /// Say whether the topics exist, and how they are
    Check,
}

#[derive(Args)]
pub(crate) struct Create {
    /// Partitions of the topic of check events: as many sinks can share the work
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(i32).range(1..=10_000))]
    partitions: i32,
    /// Copies of each partition [default: the cluster's]
    #[arg(long, value_parser = clap::value_parser!(i32).range(1..=100))]
    replication_factor: Option<i32>,
    /// How long check events are kept
    #[arg(long, default_value = "7d", value_parser = humantime::parse_duration)]
    retention: Duration,
    /// How long dead letters are kept
    #[arg(long, default_value = "30d", value_parser = humantime::parse_duration)]
    dead_letter_retention: Duration,
}

pub(crate) async fn run(command: &Command, environment: &Environment) -> anyhow::Result<()> {
    let kafka = settings::load::<KafkaSettings>(environment)?;
    kafka.log_warnings();
    match command {
        Command::Create(options) => create(&kafka, options).await,
        Command::Check => check(&kafka).await,
    }
}

async fn create(kafka: &KafkaSettings, options: &Create) -> anyhow::Result<()> {
    let options = TopicOptions {
        partitions: options.partitions,
        replication: options.replication_factor,
        retention: options.retention,
        dead_letter_retention: options.dead_letter_retention,
    };
    for creation in topics::create(kafka, &options).await? {
        match creation {
            Creation::Created(topic) => print(format!("created {topic}"))?,
            Creation::Existed(topic) => print(format!("{topic} exists, left as it is"))?,
        }
    }
    Ok(())
}

async fn check(kafka: &KafkaSettings) -> anyhow::Result<()> {
    for topic in topics::check(kafka).await? {
        let (name, partitions, copies) = (topic.name, topic.partitions, topic.replication);
        print(format!(
            "{name}: {partitions} partitions, replication factor {copies}"
        ))?;
    }
    Ok(())
}

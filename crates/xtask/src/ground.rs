//! PostgreSQL and a broker: what the monitor stands on.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;
use local_stack::{
    Control, Durability, Kafka, KafkaOptions, Postgres, PostgresOptions, Process, Program,
    start_both,
};

use crate::local::Local;
use crate::{console, workspace};

/// The topics that `admin topics create` would make; the volatile broker has no other way.
const VOLATILE_TOPICS: [&str; 2] = ["monitor.checks:6", "monitor.checks.dlq:1"];

/// What messages go through.
#[derive(Debug)]
pub(crate) enum Broker {
    /// Apache Kafka.
    Kafka(Box<Kafka>),
    /// librdkafka's in-process broker: everything is lost when it ends.
    Volatile { process: Process, brokers: String },
}

impl Broker {
    pub(crate) fn brokers(&self) -> String {
        match self {
            Self::Kafka(kafka) => kafka.brokers(),
            Self::Volatile { brokers, .. } => brokers.clone(),
        }
    }

    pub(crate) fn process(&mut self) -> &mut Process {
        match self {
            Self::Kafka(kafka) => kafka.process(),
            Self::Volatile { process, .. } => process,
        }
    }
}

/// The settings with which any of our programs finds the two.
pub(crate) fn variables(postgres: &Postgres, broker: &Broker) -> Vec<(&'static str, String)> {
    vec![
        ("DATABASE_URL", postgres.url()),
        ("KAFKA_BROKERS", broker.brokers()),
        ("KAFKA_SECURITY_PROTOCOL", "plaintext".to_owned()),
    ]
}

/// Both in `.local`, with what was in them.
pub(crate) fn start_kept(local: &Local, control: &Control) -> Result<(Postgres, Broker)> {
    let kafka = KafkaOptions {
        directory: Some(local.path("kafka")),
        log: Some(local.log("kafka")),
        control: control.clone(),
        ..KafkaOptions::default()
    };
    let (postgres, kafka) = start_both(kept_postgres(local, control), kafka)?;
    Ok((postgres, Broker::Kafka(Box::new(kafka))))
}

/// Only PostgreSQL, in `.local`.
pub(crate) fn start_kept_postgres(local: &Local, control: &Control) -> Result<Postgres> {
    Postgres::start(kept_postgres(local, control))
}

/// Both empty and temporary, without care for the disk.
pub(crate) fn start_temporary(control: &Control) -> Result<(Postgres, Kafka)> {
    let postgres = PostgresOptions {
        control: control.clone(),
        ..PostgresOptions::default()
    };
    let kafka = KafkaOptions {
        control: control.clone(),
        ..KafkaOptions::default()
    };
    start_both(postgres, kafka)
}

/// The substitute for Kafka; its program must have been built.
pub(crate) fn start_volatile_broker(local: &Local, control: &Control) -> Result<Broker> {
    let executable = workspace::built_programs()?.join("examples/volatile-broker");
    let program = Program::new("volatile broker", executable, local.log("volatile-broker"))
        .args(VOLATILE_TOPICS)
        .pid_file(local.path("run/volatile-broker.pid"))
        .keep_stdin_open();
    let mut process = Process::start(&program)?;
    let brokers = process.wait_until_ready(control, Duration::from_secs(10), |log| {
        let text = log.text();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("KAFKA_BROKERS="))?;
        Some(line.to_owned())
    })?;
    Ok(Broker::Volatile { process, brokers })
}

/// Says where the two are.
pub(crate) fn announce(postgres: &Postgres, broker: &Broker, local: &Local, started: Instant) {
    let kafka = match broker {
        Broker::Kafka(_) => "Kafka",
        Broker::Volatile { .. } => "volatile broker",
    };
    console::say(&format!(
        "✔ PostgreSQL on 127.0.0.1:{}, {kafka} on {} ({})",
        postgres.port(),
        broker.brokers(),
        console::elapsed(started)
    ));
    let expected = local.path("postgres");
    if postgres.directory() != expected {
        console::say(&format!(
            "  PostgreSQL's user cannot reach {}: its data is in {}",
            expected.display(),
            postgres.directory().display()
        ));
    }
}

/// The command that builds our programs, and the volatile broker if it is wanted.
pub(crate) fn build_command(root: &Path, with_volatile_broker: bool) -> Command {
    let mut build = Command::new(workspace::cargo());
    build
        .current_dir(root)
        .args(["build", "--workspace", "--bins"]);
    if with_volatile_broker {
        build.args(["--example", "volatile-broker"]);
    }
    build
}

fn kept_postgres(local: &Local, control: &Control) -> PostgresOptions {
    PostgresOptions {
        directory: Some(local.path("postgres")),
        durability: Durability::Durable,
        log: Some(local.log("postgres")),
        control: control.clone(),
        ..PostgresOptions::default()
    }
}

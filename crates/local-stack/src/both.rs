//! PostgreSQL and Kafka together.

use std::thread;

use anyhow::{Context as _, Result, anyhow};

use crate::{Kafka, KafkaOptions, Postgres, PostgresOptions};

/// Starts both at the same time: Kafka takes seconds.
pub fn start_both(postgres: PostgresOptions, kafka: KafkaOptions) -> Result<(Postgres, Kafka)> {
    thread::scope(|scope| {
        let kafka = scope.spawn(|| Kafka::start(kafka));
        let postgres = Postgres::start(postgres);
        let kafka = kafka
            .join()
            .map_err(|_| anyhow!("the start of Kafka panicked"));
        Ok((postgres?, kafka.context("cannot start the stack")??))
    })
}

//! librdkafka's in-process broker as a program of its own, for trying the monitor out where Apache
//! Kafka cannot be had. Not for data that matters: it keeps everything in memory, at most 5 MiB or
//! 100 000 batches a partition, and drops what is beyond that without a word.
//!
//! `volatile-broker TOPIC:PARTITIONS…` prints `KAFKA_BROKERS=host:port` and serves until its
//! standard input ends.
#![expect(
    clippy::print_stdout,
    reason = "its address is what this program has to say"
)]

use std::io::Read as _;

use anyhow::Context as _;
use rdkafka::mocking::MockCluster;

fn main() -> anyhow::Result<()> {
    let cluster = MockCluster::new(1).context("cannot start the broker")?;
    for argument in std::env::args().skip(1) {
        let (topic, partitions) = argument
            .split_once(':')
            .context("expected TOPIC:PARTITIONS")?;
        let partitions = partitions
            .parse()
            .context("expected a number of partitions")?;
        cluster
            .create_topic(topic, partitions, 1)
            .context("cannot create a topic")?;
    }
    println!("KAFKA_BROKERS={}", cluster.bootstrap_servers());
    std::io::stdin()
        .read_to_end(&mut Vec::new())
        .context("cannot wait for the end of input")?;
    Ok(())
}

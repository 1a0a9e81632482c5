//! What a broker says about a topic.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use crate::wait::eventually;

const TIMEOUT: Duration = Duration::from_secs(5);

/// Waits until the partitions of a topic are there and hold nothing. A topic that was deleted and
/// made anew is known as such to the controller first; what the broker is sent meanwhile still goes
/// into the one before, and away with it.
pub async fn begins_empty(brokers: &str, topic: &str, partitions: i32) -> anyhow::Result<()> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .create()?;
    let is_empty = |partition| {
        let watermarks = consumer.fetch_watermarks(topic, partition, TIMEOUT);
        watermarks.is_ok_and(|watermarks| watermarks == (0, 0))
    };
    eventually("the topic is empty", || async {
        Ok((0..partitions).all(is_empty).then_some(()))
    })
    .await
}

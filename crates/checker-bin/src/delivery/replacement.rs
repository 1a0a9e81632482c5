//! Producers that have to be replaced by new ones.

use std::time::Duration;

use metrics::counter;
use monitor_kafka::KafkaError;

use super::Delivery;

/// How long a turn waits for what a producer still has on its way before it is replaced. Only to send
/// less twice: what has not arrived by then is sent again.
const FLUSH: Duration = Duration::from_secs(1);

impl Delivery {
    /// The producer has failed for good.
    pub(super) fn replace_failed_producer(&mut self, error: &KafkaError) {
        tracing::error!(%error, "making a new Kafka producer");
        self.replace_producer();
    }

    /// The certificates of the producer have been replaced. While it works, what it has on its way
    /// need not be sent twice.
    pub(super) fn replace_outdated_producer(&mut self) {
        let works = self.link().borrow().trouble().is_none();
        if works {
            self.producer.flush(FLUSH);
            self.settle_all();
        }
        self.paused_until = None;
        self.replace_producer();
    }

    /// Makes a new producer, and sends again what the old one held.
    fn replace_producer(&mut self) {
        match self.producer.renew() {
            Ok(reports) => {
                counter!("checker_producer_rebuilds_total").increment(1);
                self.reports = reports;
                self.ledger.lost_producer();
            }
            Err(error) => self.pause(&error),
        }
    }
}

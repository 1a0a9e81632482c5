//! Results on their way to Kafka: each is kept until a broker has confirmed it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::bail;
use metrics::{counter, gauge};
use monitor_core::CheckEvent;
use monitor_core::event::SCHEMA;
use monitor_kafka::{
    Deliveries, Delivery, KafkaError, KafkaSettings, Link, Outgoing, Producer, Refused,
};
use monitor_runtime::Context;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

/// Most results that are kept. When Kafka is away for longer, the oldest are dropped and counted.
const CAPACITY: usize = 100_000;
/// Time between attempts to send what was not delivered.
const RETRY: Duration = Duration::from_secs(1);
/// Most results or deliveries that are dealt with in one go.
const AT_ONCE: usize = 256;
/// Share of the grace period in which results may still be delivered after the last one has come
/// in. The checks take half of it, and a tenth is left for ending.
const FLUSH_SHARE: f64 = 0.4;

/// Keeps every result until it is delivered.
pub(crate) struct Outbox {
    producer: Producer,
    deliveries: Deliveries,
    /// By sequence number, which is also the order in which they came in.
    waiting: BTreeMap<usize, Parcel>,
    /// Those of them that the producer does not hold.
    unsent: BTreeSet<usize>,
    next_sequence: usize,
}

struct Parcel {
    key: String,
    payload: Vec<u8>,
    traceparent: String,
}

impl Outbox {
    /// An empty outbox; connecting happens in the background.
    pub(crate) fn new(settings: &KafkaSettings, client_id: &str) -> Result<Self, KafkaError> {
        let (producer, deliveries) = Producer::new(settings, &settings.topic, client_id)?;
        Ok(Self {
            producer,
            deliveries,
            waiting: BTreeMap::new(),
            unsent: BTreeSet::new(),
            next_sequence: 0,
        })
    }

    /// How the connection to Kafka is doing.
    pub(crate) fn link(&self) -> watch::Receiver<Link> {
        self.producer.link()
    }

    /// Delivers everything that comes in until the channel is closed and all of it is confirmed.
    /// When the service is to stop, what cannot be delivered in its grace period is given up, which
    /// is an error.
    pub(crate) async fn run(
        mut self,
        mut results: mpsc::Receiver<Box<CheckEvent>>,
        context: &Context,
    ) -> anyhow::Result<()> {
        let mut retry = interval(RETRY);
        retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut open = true;
        let (mut posted, mut delivered) = (Vec::new(), Vec::new());
        let mut give_up_at = None;
        while open || !self.waiting.is_empty() {
            if !open && context.stop.is_cancelled() && give_up_at.is_none() {
                give_up_at = Some(Instant::now() + context.grace.mul_f64(FLUSH_SHARE));
            }
            tokio::select! {
                count = results.recv_many(&mut posted, AT_ONCE), if open => open = count > 0,
                1.. = self.deliveries.recv_many(&mut delivered, AT_ONCE) => {}
                _ = retry.tick() => self.send_unsent()?,
                () = sleep_until(give_up_at.unwrap_or_else(Instant::now)), if give_up_at.is_some() => {
                    bail!("{} results could not be delivered to Kafka and are lost", self.waiting.len());
                }
            }
            for result in posted.drain(..) {
                self.post(&result)?;
            }
            for delivery in delivered.drain(..) {
                self.settle(delivery);
            }
            gauge!("checker_results_waiting").set(count(self.waiting.len()));
        }
        Ok(())
    }

    fn post(&mut self, result: &CheckEvent) -> anyhow::Result<()> {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let parcel = Parcel {
            key: result.key(),
            payload: result.encode()?,
            traceparent: result.traceparent(),
        };
        self.waiting.insert(sequence, parcel);
        self.unsent.insert(sequence);
        self.make_room();
        self.send(sequence)
    }

    fn make_room(&mut self) {
        if self.waiting.len() <= CAPACITY {
            return;
        }
        if let Some((oldest, _)) = self.waiting.pop_first() {
            self.unsent.remove(&oldest);
            counter!("checker_results_dropped_total").increment(1);
            tracing::error!(
                kept = CAPACITY,
                "the outbox is full: dropped the oldest result"
            );
        }
    }

    /// Hands a parcel to the producer. One that is refused for now stays unsent.
    fn send(&mut self, sequence: usize) -> anyhow::Result<()> {
        let Some(parcel) = self.waiting.get(&sequence) else {
            return Ok(());
        };
        let sent = self.producer.send(
            sequence,
            Outgoing {
                key: Some(parcel.key.as_bytes()),
                payload: Some(&parcel.payload),
                headers: &[
                    ("schema", Some(SCHEMA.as_bytes())),
                    ("traceparent", Some(parcel.traceparent.as_bytes())),
                ],
            },
        );
        match sent {
            Ok(()) => {
                self.unsent.remove(&sequence);
            }
            Err(Refused::QueueFull) => {}
            Err(Refused::Message(error)) => tracing::warn!(%error, "a result waits to be sent"),
            Err(Refused::Fatal(error)) => self.renew_producer(&error)?,
        }
        Ok(())
    }

    fn send_unsent(&mut self) -> anyhow::Result<()> {
        for sequence in self.unsent.clone() {
            self.send(sequence)?;
            if self.unsent.contains(&sequence) {
                break;
            }
        }
        Ok(())
    }

    fn settle(&mut self, delivery: Delivery) {
        let Delivery { sequence, result } = delivery;
        match result {
            Ok(()) => {
                self.waiting.remove(&sequence);
                counter!("checker_results_delivered_total").increment(1);
            }
            // Dropped to make room while it was on its way.
            Err(_) if !self.waiting.contains_key(&sequence) => {}
            Err(error) => {
                tracing::warn!(%error, "a result was not delivered; it will be sent again");
                self.unsent.insert(sequence);
            }
        }
    }

    /// A producer that has failed for good is replaced; what it held is sent again.
    fn renew_producer(&mut self, error: &KafkaError) -> anyhow::Result<()> {
        tracing::error!(%error, "making a new Kafka producer");
        self.deliveries = self.producer.renew()?;
        self.unsent = self.waiting.keys().copied().collect();
        Ok(())
    }
}

/// A number for a gauge: exact far beyond any count that occurs here.
#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
pub(crate) fn count(number: usize) -> f64 {
    number as f64
}

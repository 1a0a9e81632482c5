//! Filling topics, as the checker would: the same client, key, headers and compression.

use anyhow::{Context as _, Result};
use monitor_config::Environment;
use monitor_core::CheckEvent;
use monitor_core::event::SCHEMA;
use monitor_kafka::{Deliveries, KafkaSettings, Outgoing, Producer, Refused};

use crate::stack::Stack;

/// Puts messages into a topic, and knows when all of them have been confirmed.
pub(crate) struct Feeder {
    producer: Producer,
    deliveries: Deliveries,
    sent: usize,
    confirmed: usize,
}

impl Feeder {
    /// For the topic of this name, which must exist.
    pub(crate) fn new(stack: &Stack, topic: &str) -> Result<Self> {
        let brokers = stack.brokers();
        let pairs = [("KAFKA_BROKERS", brokers.as_str()), ("KAFKA_TOPIC", topic)];
        let settings: KafkaSettings = Environment::from_pairs(pairs).load()?;
        let (producer, deliveries) = Producer::new(&settings, topic, "bench")?;
        Ok(Self {
            producer,
            deliveries,
            sent: 0,
            confirmed: 0,
        })
    }

    /// Sends an event; waits only while there is no room.
    pub(crate) fn send(&mut self, event: &CheckEvent) -> Result<()> {
        let (key, traceparent) = (event.key(), event.traceparent());
        let headers = [
            ("schema", Some(SCHEMA.as_bytes())),
            ("traceparent", Some(traceparent.as_bytes())),
        ];
        self.send_raw(&key, &event.encode()?, &headers)
    }

    /// Sends anything else.
    pub(crate) fn send_raw(
        &mut self,
        key: &str,
        payload: &[u8],
        headers: &[(&str, Option<&[u8]>)],
    ) -> Result<()> {
        let message = Outgoing {
            key: Some(key.as_bytes()),
            payload: Some(payload),
            headers,
        };
        loop {
            match self.producer.send(self.sent, message) {
                Ok(()) => break,
                Err(Refused::QueueFull) => self.wait()?,
                Err(error) => return Err(error).context("cannot fill the topic"),
            }
        }
        self.sent += 1;
        while let Ok(delivery) = self.deliveries.try_recv() {
            delivery.result?;
            self.confirmed += 1;
        }
        Ok(())
    }

    /// Waits until everything is confirmed.
    pub(crate) fn finish(mut self) -> Result<()> {
        while self.confirmed < self.sent {
            self.wait()?;
        }
        Ok(())
    }

    fn wait(&mut self) -> Result<()> {
        let delivery = self.deliveries.blocking_recv();
        delivery.context("the producer has gone")?.result?;
        self.confirmed += 1;
        Ok(())
    }
}

/// Puts events into a topic; returns how many.
pub(crate) fn fill(
    stack: &Stack,
    topic: &str,
    events: impl Iterator<Item = CheckEvent>,
) -> Result<()> {
    let mut feeder = Feeder::new(stack, topic)?;
    for (number, event) in events.enumerate() {
        feeder.send(&event)?;
        if number % 10_000 == 0 {
            stack.control.check()?;
        }
    }
    feeder.finish()
}

//! Results from the checks to Kafka, through the spool.
//!
//! All of it happens in turns, and a turn may block: it belongs on a thread for that.

mod impediment;
mod replacement;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use metrics::counter;
use monitor_core::event::SCHEMA;
use monitor_kafka::{Deliveries, Delivery as Report, KafkaError, KafkaSettings, Link, Outgoing};
use monitor_kafka::{Producer, Refused};
use monitor_runtime::Backoff;
use monitor_spool::{Depth, Record};
use tokio::sync::watch;

use self::impediment::Impediment;
pub(crate) use self::impediment::LONG_WAIT;
use crate::ledger::Ledger;
use crate::parcel::{self, Parcel};
use crate::storage::Storage;

/// Pauses after Kafka has refused results.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(10),
};
/// A message that is smaller than this is not what a broker finds too large.
const SMALL: usize = 64 * 1024;

/// What the checks hand over, in order.
#[derive(Debug)]
pub(crate) enum Posted {
    /// A result, packed.
    Result(Vec<u8>),
    /// Every slot up to here has been dealt with by the results before.
    Reached(DateTime<Utc>),
}

/// Everything between the checks and Kafka.
pub(crate) struct Delivery {
    producer: Producer,
    reports: Deliveries,
    storage: Storage,
    ledger: Ledger,
    /// Why Kafka takes no results.
    trouble: Option<String>,
    impediment: Impediment,
    pause: Duration,
    paused_until: Option<Instant>,
    outdated: Arc<AtomicBool>,
}

impl Delivery {
    /// Begins with what the storage holds; connecting happens in the background.
    pub(crate) fn new(
        settings: &KafkaSettings,
        client_id: &str,
        storage: Storage,
    ) -> Result<Self, KafkaError> {
        let (producer, reports) = Producer::new(settings, &settings.topic, client_id)?;
        Ok(Self {
            producer,
            reports,
            storage,
            ledger: Ledger::default(),
            trouble: None,
            impediment: Impediment::default(),
            pause: BACKOFF.first,
            paused_until: None,
            outdated: Arc::default(),
        })
    }

    /// How the connection to Kafka is doing.
    pub(crate) fn link(&self) -> watch::Receiver<Link> {
        self.producer.link()
    }

    /// To be set when the certificates of the producer have been replaced: the next turn makes a new
    /// one.
    pub(crate) fn outdated(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.outdated)
    }

    /// The results.
    pub(crate) fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Why Kafka takes no results; `None` when nothing is known against it.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.impediment.found().or(self.trouble.as_deref())
    }

    /// How long the oldest result has waited.
    pub(crate) fn waits(&self) -> Duration {
        let oldest = self.depth().oldest_at;
        let millis = oldest.map_or(0, |at| Utc::now().timestamp_millis().saturating_sub(at));
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    /// How much waits to be delivered.
    pub(crate) fn depth(&self) -> Depth {
        self.storage.depth()
    }

    /// How many results the producer holds.
    pub(crate) fn in_flight(&self) -> usize {
        self.ledger.in_flight()
    }

    /// Whether the next turn would have something to send.
    pub(crate) fn can_send(&self) -> bool {
        self.ledger.cursor() < self.storage.next()
            && self.ledger.room().is_some()
            && !self.is_paused()
    }

    /// Takes note of what has arrived, brings what was posted to the disk, and sends what is there.
    pub(crate) fn turn(&mut self, posted: &mut Vec<Posted>) {
        self.settle_all();
        let now = Utc::now().timestamp_millis();
        for posted in posted.drain(..) {
            match posted {
                Posted::Result(bytes) => self.storage.add(now, bytes),
                Posted::Reached(instant) => self.storage.reached(instant),
            }
        }
        let committed = self.storage.commit();
        if committed.regained {
            self.ledger.rewind(0);
        }
        if let Some(error) = self.producer.fatal_error() {
            self.replace_failed_producer(&error);
        }
        if self.outdated.swap(false, Ordering::Relaxed) {
            self.replace_outdated_producer();
        }
        if !self.is_paused() {
            self.send(committed.fresh);
        }
        self.impediment.look(self.waits(), &self.producer);
    }

    fn settle_all(&mut self) {
        let mut arrived = 0;
        while let Ok(report) = self.reports.try_recv() {
            arrived += u64::from(report.result.is_ok());
            self.settle(report);
        }
        counter!("checker_results_delivered_total").increment(arrived);
    }

    fn settle(&mut self, Report { sequence, result }: Report) {
        let sequence = sequence as u64;
        match result {
            Ok(()) => {
                self.ledger.delivered(sequence);
                self.storage.remove(sequence);
                self.trouble = None;
                (self.pause, self.paused_until) = (BACKOFF.first, None);
            }
            Err(error) => self.refused(sequence, &error),
        }
    }

    /// A result stays where it is until Kafka takes it; only one that is too large is made smaller,
    /// and dropped when that does not help: no other must wait for it for ever.
    fn refused(&mut self, sequence: u64, error: &KafkaError) {
        counter!("checker_delivery_errors_total").increment(1);
        self.ledger.refused(sequence);
        if error.is_too_large() && self.is_shortened(sequence) {
            return;
        }
        self.pause(error);
    }

    /// Whether something could be done about a result that is too large.
    fn is_shortened(&mut self, sequence: u64) -> bool {
        let Some(record) = self.storage.get(sequence) else {
            return false;
        };
        // Several small ones in one batch were: they are sent again, in other company.
        if record.bytes.len() < SMALL {
            return false;
        }
        match parcel::cut(&record.bytes) {
            Some(bytes) => {
                tracing::warn!(
                    bytes = record.bytes.len(),
                    "a result is too large: cut its evidence"
                );
                self.storage.replace(Record { bytes, ..record });
            }
            None => self.give_up(sequence, "too_large"),
        }
        true
    }

    fn give_up(&mut self, sequence: u64, reason: &'static str) {
        tracing::error!(
            sequence,
            reason,
            "a result cannot be delivered at all: dropped"
        );
        counter!("checker_spool_dropped_total", "reason" => reason).increment(1);
        self.storage.remove(sequence);
    }

    /// Trouble is told when it is new, not with every result.
    fn pause(&mut self, error: &KafkaError) {
        let why = error.to_string();
        if self.trouble.as_ref() != Some(&why) {
            tracing::warn!("Kafka takes no results ({why}): they wait in the spool");
            self.trouble = Some(why);
        }
        if !self.is_paused() {
            self.paused_until = Some(Instant::now() + self.pause);
            self.pause = BACKOFF.after(self.pause);
        }
    }

    fn is_paused(&self) -> bool {
        self.paused_until
            .is_some_and(|until| Instant::now() < until)
    }

    /// Hands over as much as the producer may hold. What was committed just now need not be read
    /// from the disk, unless older results wait before it.
    fn send(&mut self, fresh: Vec<Record>) {
        let is_next = |record: &Record| record.sequence == self.ledger.cursor();
        if fresh.first().is_some_and(is_next) && !self.send_all(fresh) {
            return;
        }
        while self.ledger.cursor() < self.storage.next() {
            let Some(most) = self.ledger.room() else {
                return;
            };
            let records = self.storage.read(self.ledger.cursor(), most);
            if records.is_empty() {
                self.ledger.passed(self.storage.next() - 1);
            }
            if !self.send_all(records) {
                return;
            }
        }
    }

    /// Whether all of them could be handed over.
    fn send_all(&mut self, records: Vec<Record>) -> bool {
        for record in records {
            let sequence = record.sequence;
            if self.ledger.is_in_flight(sequence) {
                self.ledger.passed(sequence);
                continue;
            }
            if self.ledger.room().is_none() {
                return false;
            }
            let Some(parcel) = parcel::unpack(&record.bytes) else {
                self.give_up(sequence, "unknown_form");
                self.ledger.passed(sequence);
                continue;
            };
            match self.send_one(sequence, &parcel) {
                Ok(()) => self.ledger.sent(sequence, record.size()),
                Err(Refused::QueueFull) => return false,
                Err(Refused::Message(error)) => {
                    self.refused(sequence, &error);
                    return false;
                }
                Err(Refused::Fatal(error)) => {
                    self.replace_failed_producer(&error);
                    return false;
                }
            }
        }
        true
    }

    fn send_one(&self, sequence: u64, parcel: &Parcel<'_>) -> Result<(), Refused> {
        let message = Outgoing {
            key: Some(parcel.key),
            payload: Some(parcel.payload),
            headers: &[
                ("schema", Some(SCHEMA.as_bytes())),
                ("traceparent", Some(parcel.traceparent)),
            ],
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "we run where both have 64 bits"
        )]
        self.producer.send(sequence as usize, message)
    }
}

#[cfg(test)]
mod tests;

//! From messages to what can be stored and what cannot. Pure.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::CheckEvent;
use monitor_kafka::{DeadLetter, Received, Stage};

/// How far in the future a slot may lie: clocks differ a little, days do not.
const AHEAD: TimeDelta = TimeDelta::minutes(10);
/// How far in the past a slot may lie. Each day is a partition, so nonsense must not make any.
const BEHIND: TimeDelta = TimeDelta::days(366);

/// An event and the message that it came in.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The event.
    pub(crate) event: CheckEvent,
    /// Its message, for the case that the database refuses the event.
    pub(crate) message: Received,
}

/// What a number of messages came to.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Events to store.
    pub(crate) entries: Vec<Entry>,
    /// Messages that are no events.
    pub(crate) rejected: Vec<DeadLetter>,
    /// By partition, the offset to go on from once both are dealt with.
    pub(crate) next_offsets: HashMap<i32, i64>,
}

impl Batch {
    /// Reads every message.
    pub(crate) fn read(messages: Vec<Received>, now: DateTime<Utc>) -> Self {
        let mut batch = Self::default();
        for message in messages {
            let next = batch.next_offsets.entry(message.partition).or_insert(0);
            *next = (*next).max(message.offset + 1);
            match read(&message, now) {
                Ok(event) => batch.entries.push(Entry { event, message }),
                Err((class, reason)) => {
                    batch.rejected.push(DeadLetter {
                        message,
                        stage: Stage::ValueConverter,
                        class: class.to_owned(),
                        reason,
                    });
                }
            }
        }
        batch
    }
}

fn read(message: &Received, now: DateTime<Utc>) -> Result<CheckEvent, (&'static str, String)> {
    let payload = message.payload.as_deref();
    let payload = payload.ok_or(("no_value", "the message has no value".to_owned()))?;
    let event = CheckEvent::decode(payload).map_err(|error| (error.reason(), error.to_string()))?;
    if event.scheduled_at > now + AHEAD || event.scheduled_at < now - BEHIND {
        let at = event.scheduled_at;
        return Err((
            "implausible_time",
            format!("scheduled_at is {at}, more than 10 minutes ahead of or 366 days behind {now}"),
        ));
    }
    Ok(event)
}

//! From messages to what can be stored and what cannot.

use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::event::KeptEvent;
use monitor_kafka::{Chunk, DeadLetter, Received, Stage, Ticket};

/// How far in the future a slot may lie: clocks differ a little, days do not.
const AHEAD: TimeDelta = TimeDelta::minutes(10);
/// How far in the past a slot may lie. Each day is a partition, so nonsense must not make any.
const BEHIND: TimeDelta = TimeDelta::days(366);

/// What a number of messages came to.
#[derive(Debug, Default)]
pub(crate) struct Batch<'a> {
    /// The messages, for the case that the database refuses an event.
    chunks: &'a [Chunk],
    /// Events to store; their texts are in the messages.
    pub(crate) events: Vec<KeptEvent<'a>>,
    /// Chunk of each event, and its place there.
    origins: Vec<(usize, usize)>,
    /// Messages that cannot be stored.
    pub(crate) letters: Vec<DeadLetter>,
}

impl<'a> Batch<'a> {
    /// Reads every message that the ticket holds. A batch takes a while to read, so whatever else
    /// is under way gets a turn after each chunk.
    pub(crate) async fn read(chunks: &'a [Chunk], ticket: &Ticket, now: DateTime<Utc>) -> Self {
        let messages = chunks.iter().map(Chunk::len).sum();
        let mut batch = Self {
            chunks,
            events: Vec::with_capacity(messages),
            origins: Vec::with_capacity(messages),
            letters: Vec::new(),
        };
        for (number, chunk) in chunks.iter().enumerate() {
            batch.read_chunk(number, chunk, ticket, now);
            tokio::task::yield_now().await;
        }
        batch
    }

    fn read_chunk(&mut self, number: usize, chunk: &'a Chunk, ticket: &Ticket, now: DateTime<Utc>) {
        let all_ours = ticket.covers(chunk);
        for (place, message) in chunk.iter().enumerate() {
            if all_ours || ticket.holds(&message) {
                self.read_one(&message, (number, place), now);
            }
        }
    }

    fn read_one(&mut self, message: &Received<'a>, origin: (usize, usize), now: DateTime<Utc>) {
        match read(message, now) {
            Ok(event) => {
                self.events.push(event);
                self.origins.push(origin);
            }
            Err((class, reason)) => {
                let letter = letter(message, Stage::ValueConverter, class.to_owned(), reason);
                self.letters.push(letter);
            }
        }
    }

    /// Puts an event among the letters, because the database refuses it.
    pub(crate) fn refuse(&mut self, event: usize, class: String, reason: String) {
        let origin = self.origins.get(event);
        let message = origin.and_then(|&(chunk, place)| self.chunks.get(chunk)?.get(place));
        if let Some(message) = message {
            let letter = letter(&message, Stage::TaskPut, class, reason);
            self.letters.push(letter);
        }
    }
}

fn letter(message: &Received<'_>, stage: Stage, class: String, reason: String) -> DeadLetter {
    DeadLetter {
        partition: message.partition,
        offset: message.offset,
        key: message.key.map(<[u8]>::to_vec),
        payload: message.payload.map(<[u8]>::to_vec),
        stage,
        class,
        reason,
    }
}

fn read<'a>(
    message: &Received<'a>,
    now: DateTime<Utc>,
) -> Result<KeptEvent<'a>, (&'static str, String)> {
    let payload = message.payload;
    let payload = payload.ok_or(("no_value", "the message has no value".to_owned()))?;
    let event = KeptEvent::decode(payload).map_err(|error| (error.reason(), error.to_string()))?;
    if event.scheduled_at > now + AHEAD || event.scheduled_at < now - BEHIND {
        let at = event.scheduled_at;
        return Err((
            "implausible_time",
            format!("scheduled_at is {at}, more than 10 minutes ahead of or 366 days behind {now}"),
        ));
    }
    Ok(event)
}

//! Reading the dead-letter topic.

use std::collections::{BTreeSet, VecDeque};
use std::ops::ControlFlow;

use chrono::{DateTime, Utc};
use rdkafka::Message as _;
use rdkafka::message::BorrowedMessage;

use super::headers;
use crate::error::KafkaError;
use crate::headers::Headers;
use crate::read::Reader;
use crate::settings::KafkaSettings;

/// The group that the reader names; it never joins it.
const GROUP: &str = "monitor-admin";

/// A dead letter as it lies in its topic.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Partition of the dead-letter topic.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// When it was put aside.
    pub time: Option<DateTime<Utc>>,
    /// Where the message was read; `None` when its headers do not say.
    pub origin: Option<Origin>,
    /// Where in its way it failed.
    pub stage: Option<String>,
    /// A short, stable name of the reason.
    pub class: Option<String>,
    /// The reason in words.
    pub reason: Option<String>,
    /// How often the message has been put aside.
    pub attempts: Option<u32>,
    /// The message's key.
    pub key: Option<Vec<u8>>,
    /// The message's value.
    pub value: Option<Vec<u8>>,
    /// All headers whose names are text, those of the failure behind the message's own.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// How many of the message's own have names that are no text.
    pub unreadable_headers: usize,
    /// Whether the message was replayed since.
    pub replayed: bool,
}

/// Where a message was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
}

impl Letter {
    fn read(message: &BorrowedMessage<'_>) -> Self {
        let all = Headers::of(message);
        let unreadable_headers = all.unreadable();
        let headers = all.readable;
        let text = |name| headers::text(&headers, name);
        let number = |name| text(name)?.parse::<i64>().ok();
        let origin = || {
            Some(Origin {
                topic: text(headers::TOPIC)?,
                partition: i32::try_from(number(headers::PARTITION)?).ok()?,
                offset: number(headers::OFFSET)?,
            })
        };
        let millis = message.timestamp().to_millis();
        Self {
            partition: message.partition(),
            offset: message.offset(),
            time: millis.and_then(DateTime::from_timestamp_millis),
            origin: origin(),
            stage: text(headers::STAGE),
            class: text(headers::CLASS),
            reason: text(headers::MESSAGE),
            attempts: text(headers::ATTEMPTS).and_then(|count| count.parse().ok()),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            replayed: false,
            headers,
            unreadable_headers,
        }
    }
}

/// A record of the dead-letter topic.
enum Record {
    Letter(Box<Letter>),
    /// Says that this letter was replayed.
    Replayed(i64),
}

/// Replay marks lie in the partition of their letter, behind it.
fn record(message: &BorrowedMessage<'_>) -> Record {
    let letter = Letter::read(message);
    let mark = headers::text(&letter.headers, headers::REPLAYED);
    let marked = mark.filter(|_| letter.value.is_none());
    let offset = marked.and_then(|mark| mark.split_once('/')?.1.parse().ok());
    offset.map_or_else(|| Record::Letter(Box::new(letter)), Record::Replayed)
}

/// The last `limit` letters, oldest first.
pub async fn latest(settings: &KafkaSettings, limit: usize) -> Result<Vec<Letter>, KafkaError> {
    reading(settings, move |reader, topic| {
        let mut letters = Vec::new();
        for partition in reader.partitions(topic)? {
            letters.extend(latest_of(reader, topic, partition, limit)?);
        }
        letters.sort_by_key(|letter: &Letter| (letter.time, letter.partition, letter.offset));
        Ok(letters.split_off(letters.len().saturating_sub(limit)))
    })
    .await
}

fn latest_of(
    reader: &Reader,
    topic: &str,
    partition: i32,
    limit: usize,
) -> Result<VecDeque<Letter>, KafkaError> {
    let mut letters: VecDeque<Letter> = VecDeque::new();
    reader.read((topic, partition), 0..i64::MAX, |message| {
        match record(message) {
            Record::Letter(letter) => {
                letters.push_back(*letter);
                if letters.len() > limit {
                    letters.pop_front();
                }
            }
            Record::Replayed(offset) => {
                let found = letters.binary_search_by_key(&offset, |letter| letter.offset);
                if let Ok(index) = found {
                    letters[index].replayed = true;
                }
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(letters)
}

/// The letter at a place of the dead-letter topic.
pub async fn find(
    settings: &KafkaSettings,
    partition: i32,
    offset: i64,
) -> Result<Option<Letter>, KafkaError> {
    reading(settings, move |reader, topic| {
        if !reader.partitions(topic)?.contains(&partition) {
            return Ok(None);
        }
        let mut found: Option<Letter> = None;
        reader.read((topic, partition), offset..i64::MAX, |message| {
            match (record(message), &mut found) {
                (Record::Letter(letter), None) if letter.offset == offset => found = Some(*letter),
                (_, None) => return ControlFlow::Break(()),
                (Record::Replayed(of), Some(letter)) if of == offset => letter.replayed = true,
                _ => {}
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    })
    .await
}

/// Partition and offset of every letter that was not replayed yet, and was put aside for the
/// reason `class`, if one is given.
pub async fn unreplayed(
    settings: &KafkaSettings,
    class: Option<String>,
) -> Result<Vec<(i32, i64)>, KafkaError> {
    reading(settings, move |reader, topic| {
        let mut all = Vec::new();
        for partition in reader.partitions(topic)? {
            let mut offsets = BTreeSet::new();
            reader.read((topic, partition), 0..i64::MAX, |message| {
                match record(message) {
                    Record::Letter(letter) => {
                        if class.is_none() || letter.class == class {
                            offsets.insert(letter.offset);
                        }
                    }
                    Record::Replayed(offset) => {
                        offsets.remove(&offset);
                    }
                }
                ControlFlow::Continue(())
            })?;
            all.extend(offsets.into_iter().map(|offset| (partition, offset)));
        }
        Ok(all)
    })
    .await
}

/// Reads off the async threads.
async fn reading<T: Send + 'static>(
    settings: &KafkaSettings,
    read: impl FnOnce(&Reader, &str) -> Result<T, KafkaError> + Send + 'static,
) -> Result<T, KafkaError> {
    let settings = settings.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let reader = Reader::new(&settings, "admin", GROUP)?;
        read(&reader, &settings.dead_letter_topic())
    });
    reading
        .await
        .unwrap_or_else(|panic| Err(KafkaError::Fatal(panic.to_string())))
}

//! What a dead letter says of its failure: Kafka Connect's names, and a few of our own.

use monitor_core::event::SCHEMA;

use super::DeadLetter;

pub(super) const TOPIC: &str = "__connect.errors.topic";
pub(super) const PARTITION: &str = "__connect.errors.partition";
pub(super) const OFFSET: &str = "__connect.errors.offset";
pub(super) const STAGE: &str = "__connect.errors.stage";
pub(super) const CLASS: &str = "__connect.errors.exception.class.name";
pub(super) const MESSAGE: &str = "__connect.errors.exception.message";
/// How often the message has been put aside, this time included. A replay keeps it.
pub(super) const ATTEMPTS: &str = "x-dlq-attempts";
/// On a record without a value: the letter, as `partition/offset`, that was replayed.
pub(super) const REPLAYED: &str = "x-dlq-replayed";

/// The headers of a failure. They begin with [`TOPIC`], behind all original ones.
pub(super) fn of_error(
    letter: &DeadLetter,
    topic: &str,
    writer: &str,
    original: &[(String, Option<Vec<u8>>)],
) -> [(&'static str, String); 12] {
    let attempts = text(original, ATTEMPTS).and_then(|count| count.parse::<u32>().ok());
    let attempts = attempts.unwrap_or(0).saturating_add(1);
    [
        (TOPIC, topic.to_owned()),
        (PARTITION, letter.partition.to_string()),
        (OFFSET, letter.offset.to_string()),
        ("__connect.errors.connector.name", "sink".to_owned()),
        ("__connect.errors.task.id", writer.to_owned()),
        (STAGE, letter.stage.as_str().to_owned()),
        (
            "__connect.errors.class.name",
            letter.stage.class_name().to_owned(),
        ),
        (CLASS, letter.class.clone()),
        (MESSAGE, letter.reason.clone()),
        (ATTEMPTS, attempts.to_string()),
        ("x-schema-id", SCHEMA.to_owned()),
        ("x-app-version", env!("CARGO_PKG_VERSION").to_owned()),
    ]
}

/// The last header of a name, as text.
pub(super) fn text(headers: &[(String, Option<Vec<u8>>)], name: &str) -> Option<String> {
    let (_, value) = headers.iter().rfind(|(found, _)| found == name)?;
    value
        .as_deref()
        .map(|value| String::from_utf8_lossy(value).into_owned())
}

/// The headers that the message had before it was put aside.
pub(super) fn original(headers: &[(String, Option<Vec<u8>>)]) -> &[(String, Option<Vec<u8>>)] {
    let told = headers.iter().rposition(|(name, _)| name == TOPIC);
    &headers[..told.unwrap_or(headers.len())]
}

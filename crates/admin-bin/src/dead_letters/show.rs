//! One letter in full.

use monitor_kafka::dead_letters::Letter;
use serde_json::{Value, json};

use super::text::{self, escaped, escaped_bytes};
use super::{summary, time};

/// For people.
pub(super) fn text(letter: &Letter) -> String {
    let mut lines = vec![
        format!("letter:  {}/{}", letter.partition, letter.offset),
        format!("time:    {}", time(letter).as_deref().unwrap_or("-")),
        format!(
            "state:   {}",
            if letter.replayed {
                "replayed"
            } else {
                "not replayed"
            }
        ),
        format!("key:     {}", part(letter.key.as_deref())),
        "headers:".to_owned(),
    ];
    for (name, value) in &letter.headers {
        lines.push(format!("  {}: {}", escaped(name), part(value.as_deref())));
    }
    if letter.unreadable_headers > 0 {
        let count = letter.unreadable_headers;
        lines.push(format!("  ({count} more, with names that are not UTF-8)"));
    }
    lines.push(format!("value:   {}", part(letter.value.as_deref())));
    lines.join("\n")
}

fn part(bytes: Option<&[u8]>) -> String {
    bytes.map_or_else(|| "(none)".to_owned(), escaped_bytes)
}

/// For machines.
pub(super) fn json(letter: &Letter) -> Value {
    let mut shown = summary(letter);
    let header = |(name, value): &(String, Option<Vec<u8>>)| json!({"name": name, "value": value.as_deref().map(text::json)});
    shown["headers"] = letter.headers.iter().map(header).collect();
    shown["unreadable_headers"] = letter.unreadable_headers.into();
    shown["value"] = letter.value.as_deref().map(text::json).into();
    shown
}

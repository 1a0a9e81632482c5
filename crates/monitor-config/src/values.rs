//! Readers for fields that are more than a number or a text: `#[serde(deserialize_with = "…")]`.
//!
//! An `Option` field needs `#[serde(default)]` beside it, because serde then no longer knows by
//! itself that the field may be absent. No message repeats the value: it may be a secret.

use std::fmt::Display;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// A duration with its unit: `200ms`, `30s`, `5m`, `2h 30m`, `14d`.
///
/// For fields of type `Duration` and `Option<Duration>`.
pub fn duration<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: From<Duration>,
{
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(text.trim())
        .map(T::from)
        .map_err(|_| D::Error::custom("expected a duration such as 200ms, 30s or 5m"))
}

/// How long something is kept: a duration with its unit, or `forever`, which is `None`.
pub fn retention<'de, D>(deserializer: D) -> Result<Option<Duration>, D::Error>
where
    D: Deserializer<'de>,
{
    let text = String::deserialize(deserializer)?;
    match text.trim() {
        "forever" => Ok(None),
        text => humantime::parse_duration(text)
            .map(Some)
            .map_err(|_| D::Error::custom("expected a duration such as 30d, or forever")),
    }
}

/// A number of bytes, with or without a unit: `4096`, `64KiB`, `1MiB`, `2GB`.
///
/// For fields of type `u64`, `usize` and other integers.
pub fn bytes<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let text = String::deserialize(deserializer)?;
    let size = ByteSize::from_str(text.trim())
        .map_err(|_| D::Error::custom("expected a size such as 4096, 64KiB or 1MiB"))?;
    T::try_from(size.as_u64()).map_err(|_| D::Error::custom("the size is too large"))
}

/// An IP address and a port: `127.0.0.1:8080`, `[::1]:0`.
///
/// For fields of type `SocketAddr` and `Option<SocketAddr>`.
pub fn socket_address<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: From<SocketAddr>,
{
    let text = String::deserialize(deserializer)?;
    text.trim().parse::<SocketAddr>().map(T::from).map_err(|_| {
        D::Error::custom("expected an IP address and a port such as 127.0.0.1:8080 or [::]:8080")
    })
}

/// A comma separated list; spaces around the items and empty items are dropped.
///
/// For fields of type `Vec<T>` where `T` reads itself from text.
pub fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: Display,
{
    let text = String::deserialize(deserializer)?;
    let items = text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    items
        .enumerate()
        .map(|(index, item)| {
            item.parse().map_err(|error| {
                D::Error::custom(format!("item {} of the list: {error}", index + 1))
            })
        })
        .collect()
}

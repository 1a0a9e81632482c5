//! Where a check was made from.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// Longest region name, in bytes.
const MAX_LEN: usize = 63;

/// The name of a place that checks are made from, such as `eu-north-1`.
///
/// Lower-case letters, digits, `-`, `_` and `.`, at most 63 of them, beginning with a letter or a
/// digit. Part of the identity of a result, so renaming a region starts a new history.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(with = "String", extend("pattern" = "^[a-z0-9][a-z0-9._-]{0,62}$"))]
pub struct Region<T = String>(T);

/// Why a text is not a region name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a region name: use 1 to {MAX_LEN} lower-case letters, digits, '-', '_' or '.', \
     beginning with a letter or digit"
)]
pub struct InvalidRegion(String);

impl<T: AsRef<str>> Region<T> {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }

    fn new(name: T) -> Result<Self, InvalidRegion> {
        if is_name(name.as_ref()) {
            Ok(Self(name))
        } else {
            Err(InvalidRegion(name.as_ref().to_owned()))
        }
    }
}

fn is_name(text: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let allowed = |byte: &u8| alphanumeric(byte) || matches!(byte, b'-' | b'_' | b'.');
    let bytes = text.as_bytes();
    bytes.len() <= MAX_LEN && bytes.first().is_some_and(alphanumeric) && bytes.iter().all(allowed)
}

impl<T: AsRef<str>> fmt::Display for Region<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Region {
    type Err = InvalidRegion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text.to_owned())
    }
}

impl<'de, T: AsRef<str> + Deserialize<'de>> Deserialize<'de> for Region<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(T::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_regions() {
        for name in ["local", "eu-north-1", "a", "1.b_c"] {
            assert_eq!(name.parse::<Region>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn empty_long_upper_case_and_odd_names_are_refused() {
        for name in ["", "EU", "-eu", "a b", "ü", "a/b", &"x".repeat(64)] {
            assert!(name.parse::<Region>().is_err(), "{name:?}");
        }
    }
}

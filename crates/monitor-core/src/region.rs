//! Where a check was made from.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest region name, in bytes.
const MAX_LEN: usize = 63;

/// The name of a place that checks are made from, such as `eu-north-1`.
///
/// Lower-case letters, digits, `-`, `_` and `.`, at most 63 of them, beginning with a letter or a
/// digit. Part of the identity of a result, so renaming a region starts a new history.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[a-z0-9][a-z0-9._-]{0,62}$"))]
pub struct Region(String);

/// Why a text is not a region name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a region name: use 1 to {MAX_LEN} lower-case letters, digits, '-', '_' or '.', \
     beginning with a letter or digit"
)]
pub struct InvalidRegion(String);

impl Region {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Region {
    type Err = InvalidRegion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let allowed = |c: char| alphanumeric(c) || matches!(c, '-' | '_' | '.');
        let valid =
            text.len() <= MAX_LEN && text.starts_with(alphanumeric) && text.chars().all(allowed);
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidRegion(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Region {
    type Error = InvalidRegion;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Region> for String {
    fn from(region: Region) -> Self {
        region.0
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

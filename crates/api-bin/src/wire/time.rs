//! Instants, lengths of time and time zones, as they are written in queries.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::metric::Tz;
use schemars::{Schema, json_schema};

use super::parameter::Parameter;

/// A number and a unit: what [`length`] reads.
pub(super) const LENGTH: &str = "[0-9]{1,5}[smhdw]";

/// An instant, or how long ago it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instant {
    At(DateTime<Utc>),
    Ago(TimeDelta),
}

impl Instant {
    pub(crate) fn resolve(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::At(at) => Some(at),
            Self::Ago(ago) => now.checked_sub_signed(ago),
        }
    }
}

impl Parameter for Instant {
    fn schema() -> Schema {
        json_schema!({
            "description": "An instant (RFC 3339), or how long ago it is.",
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "pattern": format!("^{LENGTH}$")},
            ],
            "examples": ["2026-01-05T10:00:00Z", "24h"],
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(at.to_utc()));
        }
        let hint = if text.contains(' ') {
            "; a + of its time zone has to be written as %2B"
        } else {
            ""
        };
        length(text).map(Self::Ago).ok_or_else(|| {
            format!(
                "expected an instant such as 2026-01-05T10:00:00Z, or how long ago, such as 2h or 7d{hint}"
            )
        })
    }
}

/// How long something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Length(pub(crate) TimeDelta);

impl Parameter for Length {
    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "pattern": format!("^{LENGTH}$"),
            "examples": ["24h", "90d"],
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let length = length(text).map(Self);
        length.ok_or_else(|| "expected a duration such as 24h, 7d or 90d".to_owned())
    }
}

/// In its largest whole unit.
impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.num_seconds();
        let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
        // A day is said in hours, as everybody does.
        let whole = |(unit, _): &(i64, &str)| seconds % unit == 0 && seconds > *unit;
        let (unit, name) = units.into_iter().find(whole).unwrap_or((1, "s"));
        write!(f, "{}{name}", seconds / unit)
    }
}

impl Parameter for Tz {
    fn schema() -> Schema {
        json_schema!({
            "description": "The time zone (IANA) whose days are meant; UTC when left out.",
            "type": "string",
            "examples": ["Europe/Helsinki"],
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let expected = "expected the name of a time zone (IANA) such as Europe/Helsinki";
        text.parse().map_err(|_| expected.to_owned())
    }
}

/// One number and one unit, so that what is documented is all that is understood.
pub(super) fn length(text: &str) -> Option<TimeDelta> {
    let unit = text.chars().last()?;
    let number = text
        .strip_suffix(unit)
        .filter(|digits| (1..=5).contains(&digits.len()))?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    TimeDelta::try_seconds(number.parse::<i64>().ok()? * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_documented_is_all_that_is_understood() {
        for (text, seconds) in [
            ("0s", 0),
            ("90m", 5_400),
            ("24h", 86_400),
            ("2w", 1_209_600),
        ] {
            assert_eq!(length(text), Some(TimeDelta::seconds(seconds)), "{text}");
        }
        for text in [
            "", "0", "h", "1h30m", "+1h", "-1h", "1 h", "123456s", "1y", "ä",
        ] {
            assert_eq!(length(text), None, "{text}");
        }
    }

    #[test]
    fn a_length_is_shown_in_its_largest_unit() {
        let shown =
            ["24h", "7d", "90m", "60s", "45s"].map(|text| Length::parse(text).unwrap().to_string());
        assert_eq!(shown, ["24h", "7d", "90m", "60s", "45s"]);
    }
}

//! Instants as RFC 3339 in UTC with exactly three decimals, so that equal instants are equal text.

use std::fmt;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serializer};

pub(crate) fn serialize<S: Serializer>(
    instant: &DateTime<Utc>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&instant.to_rfc3339_opts(SecondsFormat::Millis, true))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<DateTime<Utc>, D::Error> {
    deserializer.deserialize_str(Text)
}

/// The text of an instant. Writers of ours write one form, of which reading is a good part of
/// reading an event; any other is left to whoever knows them all.
struct Text;

impl Visitor<'_> for Text {
    type Value = DateTime<Utc>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an RFC 3339 instant")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        match exact(text.as_bytes()) {
            Some(instant) => Ok(instant),
            None => text.parse().map_err(E::custom),
        }
    }
}

/// Exactly `YYYY-MM-DDTHH:MM:SS.mmmZ`.
fn exact(text: &[u8]) -> Option<DateTime<Utc>> {
    const FORM: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
    let fits = |(byte, form): (&u8, &u8)| {
        if *form == b'0' {
            byte.is_ascii_digit()
        } else {
            byte == form
        }
    };
    if text.len() != FORM.len() || !text.iter().zip(FORM).all(fits) {
        return None;
    }
    let number = |from: usize, to: usize| {
        let digits = text[from..to].iter();
        digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
    };
    let date = NaiveDate::from_ymd_opt(
        i32::try_from(number(0, 4)).ok()?,
        number(5, 7),
        number(8, 10),
    )?;
    let time = date.and_hms_milli_opt(
        number(11, 13),
        number(14, 16),
        number(17, 19),
        number(20, 23),
    )?;
    Some(time.and_utc())
}

/// The same for an instant that may be absent.
pub(crate) mod option {
    use super::{DateTime, Deserialize, Deserializer, Serializer, Utc};

    #[derive(Deserialize)]
    struct Instant(#[serde(with = "super")] DateTime<Utc>);

    #[expect(clippy::ref_option, reason = "serde dictates the signature")]
    pub(crate) fn serialize<S: Serializer>(
        instant: &Option<DateTime<Utc>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match instant {
            Some(instant) => super::serialize(instant, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        let instant = Option::<Instant>::deserialize(deserializer)?;
        Ok(instant.map(|Instant(instant)| instant))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn our_own_form_is_read_as_any_other_would_be(millis in 0..253_402_300_800_000_i64) {
            let instant = DateTime::from_timestamp_millis(millis).unwrap();
            let text = instant.to_rfc3339_opts(SecondsFormat::Millis, true);
            prop_assert_eq!(exact(text.as_bytes()), Some(instant));
            prop_assert_eq!(text.parse::<DateTime<Utc>>().unwrap(), instant);
        }

        #[test]
        fn what_is_nearly_of_that_form_is_read_alike(text in "2026-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,4})?(Z|z|\\+00:00)") {
            if let Some(instant) = exact(text.as_bytes()) {
                prop_assert_eq!(text.parse::<DateTime<Utc>>(), Ok(instant));
            }
        }
    }

    #[test]
    fn other_forms_of_rfc_3339_are_read_too() {
        let read = |text: &str| -> Result<DateTime<Utc>, _> {
            deserialize(serde::de::value::StrDeserializer::<serde::de::value::Error>::new(text))
        };
        let expected = exact(b"2026-01-05T10:00:07.500Z").unwrap();
        for text in ["2026-01-05T10:00:07.5Z", "2026-01-05T12:00:07.500+02:00"] {
            assert_eq!(read(text), Ok(expected));
        }
        for nonsense in ["", "2026-13-05T10:00:07.500Z", "2026-01-05"] {
            assert!(read(nonsense).is_err(), "{nonsense}");
        }
    }
}

//! Where a letter lies, as people write it.

use std::fmt;
use std::str::FromStr;

use monitor_kafka::dead_letters::Letter;

/// Partition and offset in the dead-letter topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) partition: i32,
    pub(super) offset: i64,
}

impl Place {
    pub(super) fn of(letter: &Letter) -> Self {
        Self::from((letter.partition, letter.offset))
    }
}

impl From<(i32, i64)> for Place {
    fn from((partition, offset): (i32, i64)) -> Self {
        Self { partition, offset }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.partition, self.offset)
    }
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.split_once('/').and_then(|(partition, offset)| {
            let place = Self::from((partition.parse().ok()?, offset.parse().ok()?));
            (place.partition >= 0 && place.offset >= 0).then_some(place)
        });
        parsed.ok_or("expected PARTITION/OFFSET, such as 0/42")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        let place = Place::from((3, 42));
        assert_eq!(place.to_string().parse(), Ok(place));
        for nonsense in ["", "1", "1/", "/1", "a/1", "1/-1", "-1/1", "1/2/3"] {
            assert!(nonsense.parse::<Place>().is_err(), "{nonsense}");
        }
    }
}

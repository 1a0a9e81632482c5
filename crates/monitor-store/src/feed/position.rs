//! How far a reader has come.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

/// Which batches a reader has seen. As text it is for passing on, not for reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedPosition {
    pub(super) seen: Snapshot,
    /// The last of them, which tells whether the database is still the one that they were in.
    pub(super) last: Batch,
}

/// What identifies a batch in every database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) xid: u64,
    pub(super) stored_at: DateTime<Utc>,
}

/// Which transactions had ended, as PostgreSQL says it: all before `end`, except those that are
/// `open`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// In ascending order, and before `end`.
    open: Vec<u64>,
    end: u64,
}

/// A text that is no position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a position of the feed")]
pub struct InvalidPosition;

impl Snapshot {
    /// All before `xid` had ended.
    pub(super) fn before(xid: u64) -> Self {
        Self {
            open: Vec::new(),
            end: xid,
        }
    }

    /// The same, without what has been open since before `xid`.
    pub(super) fn since(mut self, xid: u64) -> Self {
        self.open.retain(|open| *open >= xid);
        self
    }

    /// Everything before it had ended.
    pub(super) fn first_open(&self) -> u64 {
        self.open.first().copied().unwrap_or(self.end)
    }

    /// Everything from it on had not begun.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// What has been seen after this, once everything up to `xid` has been seen that had ended `now`.
    fn and_up_to(&self, xid: u64, now: &Self) -> Self {
        let up_to = now.open.iter().filter(|open| **open <= xid);
        let beyond = self.open.iter().filter(|open| **open > xid);
        Self {
            open: up_to.chain(beyond).copied().collect(),
            end: self.end.max(xid + 1),
        }
    }
}

impl FeedPosition {
    /// The position after `batch`, when all before it that had ended `now` have been seen too.
    pub(super) fn after(&self, now: &Snapshot, batch: Batch) -> Self {
        Self {
            seen: self.seen.and_up_to(batch.xid, now),
            last: if batch.xid > self.last.xid {
                batch
            } else {
                self.last
            },
        }
    }
}

/// As PostgreSQL writes it.
impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:", self.first_open(), self.end)?;
        for (index, open) in self.open.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{open}")?;
        }
        Ok(())
    }
}

impl FromStr for Snapshot {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let mut parts = text.splitn(3, ':');
        let mut part = || parts.next().ok_or(InvalidPosition);
        let (first, end, open) = (number(part()?)?, number(part()?)?, part()?);
        let open: Vec<u64> = if open.is_empty() {
            Vec::new()
        } else {
            open.split(',').map(number).collect::<Result<_, _>>()?
        };
        let in_order = open.is_sorted_by(|one, next| one < next);
        let inside = open.iter().all(|open| (first..end).contains(open));
        if first > end || !in_order || !inside {
            return Err(InvalidPosition);
        }
        Ok(Self { open, end })
    }
}

fn number(text: &str) -> Result<u64, InvalidPosition> {
    text.parse().map_err(|_| InvalidPosition)
}

impl fmt::Display for FeedPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stored_at = self.last.stored_at.timestamp_micros();
        write!(f, "{}/{}@{stored_at}", self.seen, self.last.xid)
    }
}

impl FromStr for FeedPosition {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        let (seen, last) = text.split_once('/').ok_or(InvalidPosition)?;
        let (xid, stored_at) = last.split_once('@').ok_or(InvalidPosition)?;
        let micros = stored_at.parse().map_err(|_| InvalidPosition)?;
        Ok(Self {
            seen: seen.parse()?,
            last: Batch {
                xid: number(xid)?,
                stored_at: DateTime::from_timestamp_micros(micros).ok_or(InvalidPosition)?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Transactions 1, 2, 3… of which some have ended.
    fn snapshot(ended: &[bool]) -> Snapshot {
        let numbered = (1..).zip(ended);
        let open = numbered.filter(|(_, ended)| !**ended).map(|(xid, _)| xid);
        Snapshot {
            open: open.collect(),
            end: 1 + ended.len() as u64,
        }
    }

    fn seen(snapshot: &Snapshot) -> BTreeSet<u64> {
        let xids = 1..snapshot.end;
        xids.filter(|xid| !snapshot.open.contains(xid)).collect()
    }

    proptest! {
        #[test]
        fn a_page_adds_what_had_ended_up_to_its_last_batch_and_nothing_else(
            before in prop::collection::vec(any::<bool>(), 0..12),
            ends in prop::collection::vec(any::<bool>(), 24),
            begun in 0_usize..12,
            last in 1_u64..24,
        ) {
            let ended = |index: usize| before.get(index).is_some_and(|ended| *ended) || ends[index];
            let after: Vec<_> = (0..before.len() + begun).map(ended).collect();
            let (before, now) = (snapshot(&before), snapshot(&after));
            prop_assume!(last < now.end);
            let page = before.and_up_to(last, &now);
            let mut expected = seen(&before);
            expected.extend(seen(&now).into_iter().filter(|xid| *xid <= last));
            prop_assert_eq!(seen(&page), expected);
            prop_assert_eq!(page.to_string().parse(), Ok(page));
        }
    }

    #[test]
    fn a_position_is_the_same_after_it_was_passed_on_as_text() {
        let position = "795:799:795,797/798@1767607207000001";
        let read: FeedPosition = position.parse().unwrap();
        assert_eq!(read.seen.open, [795, 797]);
        assert_eq!(read.to_string(), position);
    }

    #[test]
    fn what_is_not_a_position_is_refused() {
        for text in [
            "",
            "1:2:",
            "1:2:/3",
            "1:2/1@0",
            "2:1:/1@0",
            "1:3:2,1/1@0",
            "1:3:1,1/1@0",
            "2:3:1/1@0",
            "1:3:3/1@0",
            "1:3:1,/1@0",
            "-1:3:/1@0",
            "1:3:/1@99999999999999999999",
        ] {
            assert_eq!(text.parse::<FeedPosition>(), Err(InvalidPosition), "{text}");
        }
    }
}

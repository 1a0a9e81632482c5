//! Where a partition begins. Pure.

use monitor_kafka::Position;

/// Where to begin, and what is missing before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    /// The first offset to read.
    pub(crate) offset: i64,
    /// Why that is not where it should be.
    pub(crate) gap: Option<Gap>,
}

/// Why the offset to go on from is not in the topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gap {
    /// The topic no longer has so many messages that were not stored.
    Expired(i64),
    /// The topic ends before: it was made anew, or its brokers have lost messages.
    Beyond,
}

/// The smaller of what is committed and what the ledger says, because the database may have lost
/// what it had when the offset was committed. A ledger that is ahead (of a topic that was made
/// anew, or of a commit that failed) skips nothing.
///
/// A database that knows nothing of a partition has nothing of it either, and so begins at the
/// beginning, as does a group that never committed.
///
/// What this sink itself has stored since the partition is its own does not decide where to begin,
/// but is not missing either, whatever the topic has lost and however far those two are behind.
pub(crate) fn start(position: &Position, ledger: Option<i64>) -> Start {
    let Position {
        committed,
        earliest,
        latest,
        ..
    } = *position;
    let at_the_beginning = |gap| Start {
        offset: earliest,
        gap,
    };
    let (Some(committed), Some(ledger)) = (committed, ledger) else {
        return at_the_beginning(None);
    };
    let offset = committed.min(ledger);
    if offset < earliest {
        let missing = earliest - position.stored.unwrap_or(offset).max(offset);
        at_the_beginning((missing > 0).then_some(Gap::Expired(missing)))
    } else if offset > latest {
        at_the_beginning(Some(Gap::Beyond))
    } else {
        Start { offset, gap: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a topic that has the offsets 10 to 99.
    fn check(committed: Option<i64>, ledger: Option<i64>, offset: i64, gap: Option<Gap>) {
        let position = Position {
            partition: 0,
            committed,
            stored: None,
            earliest: 10,
            latest: 100,
        };
        let found = start(&position, ledger);
        assert_eq!(found, Start { offset, gap }, "{committed:?} {ledger:?}");
    }

    #[test]
    fn it_goes_on_from_the_smaller_of_commit_and_ledger() {
        check(Some(50), Some(50), 50, None);
        check(Some(50), Some(40), 40, None);
        check(Some(50), Some(5000), 50, None);
        check(Some(100), Some(100), 100, None);
    }

    #[test]
    fn what_is_not_known_begins_at_the_beginning() {
        check(None, None, 10, None);
        check(None, Some(50), 10, None);
        check(Some(50), None, 10, None);
    }

    #[test]
    fn what_the_topic_does_not_have_is_told() {
        check(Some(4), Some(4), 10, Some(Gap::Expired(6)));
        check(Some(50), Some(4), 10, Some(Gap::Expired(6)));
        check(Some(101), Some(200), 10, Some(Gap::Beyond));
    }

    #[test]
    fn what_was_stored_here_is_not_missing() {
        for (stored, missing) in [(3, Some(6)), (7, Some(3)), (10, None), (50, None)] {
            let position = Position {
                partition: 0,
                committed: Some(4),
                stored: Some(stored),
                earliest: 10,
                latest: 100,
            };
            let gap = missing.map(Gap::Expired);
            let found = start(&position, Some(4));
            assert_eq!(found, Start { offset: 10, gap }, "{stored}");
        }
    }
}

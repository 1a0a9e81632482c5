//! What is close to each other in time is read together.

use chrono::{DateTime, TimeDelta, Utc};

use super::read::Note;

/// Rows so far apart are read as if there was nothing between them.
const NEAR: TimeDelta = TimeDelta::seconds(10);

/// A time that rows of some transactions are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first_at: DateTime<Utc>,
    pub(super) last_at: DateTime<Utc>,
    pub(super) xids: Vec<u64>,
}

/// The times that all these are in: as few as there can be without reading much of what is between
/// them.
pub(super) fn spans(notes: &[(u64, Note)]) -> Vec<Span> {
    let mut notes: Vec<_> = notes.iter().collect();
    notes.sort_by_key(|(_, note)| note.first_at);
    let mut spans: Vec<Span> = Vec::new();
    for (xid, note) in notes {
        match spans.last_mut() {
            Some(span) if note.first_at <= span.last_at + NEAR => {
                span.last_at = span.last_at.max(note.last_at);
                span.xids.push(*xid);
            }
            _ => spans.push(Span {
                first_at: note.first_at,
                last_at: note.last_at,
                xids: vec![*xid],
            }),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn only_what_is_close_in_time_is_read_together() {
        let note = |xid, first, last| {
            let (first_at, last_at) = (at(first), at(last));
            (xid, Note { first_at, last_at })
        };
        let span = |first, last, xids: &[u64]| Span {
            first_at: at(first),
            last_at: at(last),
            xids: xids.to_vec(),
        };
        let notes = [
            note(1, 7_000, 7_002),
            note(1, 100, 130),
            note(2, 105, 110),
            note(3, 140, 150),
            note(4, 7_013, 7_013),
        ];
        let expected = [
            span(100, 150, &[1, 2, 3]),
            span(7_000, 7_002, &[1]),
            span(7_013, 7_013, &[4]),
        ];
        assert_eq!(spans(&notes), expected);
    }
}

//! How far reading is behind writing.

use std::collections::VecDeque;

/// How far a partition is behind the end of the topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// The partition.
    pub partition: i32,
    /// Messages that are not dealt with; `None` until a broker has told the end.
    pub events: Option<i64>,
    /// When the oldest of them was written, in milliseconds since 1970. While it was not read yet,
    /// when the last that was dealt with was written: it cannot be older.
    pub since: Option<i64>,
}

/// Messages of one partition that were read and are not dealt with: run by run, the offset after
/// the last and the time of the first.
#[derive(Default)]
pub(super) struct Waiters {
    runs: VecDeque<(i64, Option<i64>)>,
    last_done: Option<i64>,
}

impl Waiters {
    pub(super) fn push(&mut self, next_offset: i64, oldest: Option<i64>) {
        self.runs.push_back((next_offset, oldest));
    }

    /// Everything before `offset` is dealt with.
    pub(super) fn done(&mut self, offset: i64) {
        while self.runs.front().is_some_and(|(next, _)| *next <= offset) {
            if let Some((_, Some(time))) = self.runs.pop_front() {
                self.last_done = Some(time);
            }
        }
    }

    /// The offset after the last that was read and is not dealt with.
    pub(super) fn next_offset(&self) -> Option<i64> {
        self.runs.back().map(|(next, _)| *next)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Since when something waits; `more` says that the topic has more than was read.
    pub(super) fn since(&self, more: bool) -> Option<i64> {
        match self.runs.front() {
            Some((_, oldest)) => *oldest,
            None if more => self.last_done,
            None => None,
        }
    }
}

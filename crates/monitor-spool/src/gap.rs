//! What had to be dropped.

/// Consecutive records that were dropped to make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// How many records.
    pub count: u64,
    /// The earliest instant that any of them was about, in milliseconds since the epoch.
    pub first_at: i64,
    /// The latest.
    pub last_at: i64,
    /// The sequence number behind the last of them.
    pub(crate) end: u64,
}

impl Gap {
    /// The gap that one record leaves.
    pub(crate) fn of(sequence: u64, at: i64) -> Self {
        Self {
            count: 1,
            first_at: at,
            last_at: at,
            end: sequence + 1,
        }
    }

    /// Both in one, if this one begins where the other has ended.
    pub(crate) fn after(self, before: Gap, start: u64) -> Option<Self> {
        (before.end == start).then(|| Self {
            count: before.count + self.count,
            first_at: before.first_at.min(self.first_at),
            last_at: before.last_at.max(self.last_at),
            end: self.end,
        })
    }
}

//! Where in time the rows of a batch are, for whoever follows what is stored.

use chrono::{DateTime, Utc};

use super::marks::hour_of;
use crate::checks::batch::Row;

/// For each hour that has rows of the batch, the first and the last of them, and how many.
#[derive(Default)]
pub(super) struct Stretches {
    hour: Vec<DateTime<Utc>>,
    pub(super) first_at: Vec<DateTime<Utc>>,
    pub(super) last_at: Vec<DateTime<Utc>>,
    pub(super) checks: Vec<i32>,
}

impl Stretches {
    pub(super) fn of(rows: &[Row<'_>]) -> Self {
        let mut stretches = Self::default();
        for row in rows {
            stretches.add(row.scheduled_at);
        }
        stretches
    }

    /// Nearly always there is one hour, or two: nothing finds it faster than to go through them.
    fn add(&mut self, at: DateTime<Utc>) {
        let hour = hour_of(at);
        if let Some(index) = self.hour.iter().position(|known| *known == hour) {
            self.first_at[index] = self.first_at[index].min(at);
            self.last_at[index] = self.last_at[index].max(at);
            self.checks[index] += 1;
        } else {
            self.hour.push(hour);
            self.first_at.push(at);
            self.last_at.push(at);
            self.checks.push(1);
        }
    }
}

//! The hours that rows of a batch are in.

use chrono::{DateTime, TimeDelta, Utc};

use crate::checks::batch::Row;

/// The hours that the rows are in, each once per site and region.
#[derive(Default)]
pub(super) struct Marks {
    pub(super) site_id: Vec<i64>,
    pub(super) region_id: Vec<i16>,
    pub(super) hour: Vec<DateTime<Utc>>,
}

impl Marks {
    pub(super) fn of(rows: &[Row<'_>]) -> Self {
        let mut marks = Self::default();
        let mut last = None;
        for row in rows {
            let mark = (row.site_id, row.region_id, hour_of(row.scheduled_at));
            if last.replace(mark) != Some(mark) {
                marks.site_id.push(mark.0);
                marks.region_id.push(mark.1);
                marks.hour.push(mark.2);
            }
        }
        marks
    }
}

/// Begin of the hour that `instant` is in.
pub(super) fn hour_of(instant: DateTime<Utc>) -> DateTime<Utc> {
    let into = instant.timestamp_micros().rem_euclid(3_600_000_000);
    instant - TimeDelta::microseconds(into)
}

//! A batch as rows: one for each slot, in the order of the key.

use chrono::{DateTime, Utc};
use monitor_core::event::KeptEvent;

use super::names::Names;
use crate::error::StoreError;

/// An event with its key, and with ids for names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) site_id: i64,
    pub(super) region_id: i16,
    pub(super) scheduled_at: DateTime<Utc>,
    pub(super) checker_id: i32,
    pub(super) event: &'a KeptEvent<'a>,
}

impl Row<'_> {
    /// What identifies the row, and in this order.
    pub(super) fn key(&self) -> (i64, i16, DateTime<Utc>) {
        (self.site_id, self.region_id, self.scheduled_at)
    }
}

/// The rows of `events` in the order of their key, which keeps two writers from waiting for each
/// other in a circle.
///
/// There is one for each slot, because one statement cannot touch a row twice: the first, unless a
/// later one is a real result and it is not.
pub(super) fn rows_of<'a>(
    events: &'a [KeptEvent<'a>],
    names: &Names,
) -> Result<Vec<Row<'a>>, StoreError> {
    let mut ids = names.lookup();
    let mut rows = Vec::with_capacity(events.len());
    for event in events {
        let (region_id, checker_id) = ids.of(event)?;
        rows.push(Row {
            site_id: event.site_id.0,
            region_id,
            scheduled_at: event.scheduled_at,
            checker_id,
            event,
        });
    }
    // Keeps the order of those with the same key.
    rows.sort_by_key(Row::key);
    rows.dedup_by(|later, kept| {
        let same = later.key() == kept.key();
        if same && !kept.event.outcome.is_verdict() && later.event.outcome.is_verdict() {
            std::mem::swap(kept, later);
        }
        same
    });
    Ok(rows)
}

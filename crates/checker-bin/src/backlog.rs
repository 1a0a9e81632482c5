//! Due checks that wait for room to start. Pure.

use std::collections::{HashMap, VecDeque};

use monitor_core::{SiteId, Slot};

use crate::schedule::Due;

/// Due checks in the order in which they came due, at most one per site: when the next slot of a
/// site comes due first, the waiting one can no longer start in its time.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    order: VecDeque<SiteId>,
    waiting: HashMap<SiteId, Due>,
}

impl Backlog {
    /// Adds a check; returns the earlier slot of the same site if it was still waiting, which is
    /// missed now. The site keeps its place in the queue.
    pub(crate) fn push(&mut self, due: Due) -> Option<Slot> {
        let id = due.slot.site_id;
        let displaced = self.waiting.insert(id, due).map(|due| due.slot);
        if displaced.is_none() {
            self.order.push_back(id);
        }
        displaced
    }

    /// Takes the check that has waited longest.
    pub(crate) fn pop(&mut self) -> Option<Due> {
        let id = self.order.pop_front()?;
        self.waiting.remove(&id)
    }

    /// How many checks wait.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::DateTime;
    use monitor_core::SiteConfig;
    use serde_json::json;

    use super::*;

    fn due(id: i64, seconds: i64) -> Due {
        let json = json!({"url": "http://h/"});
        Due {
            slot: Slot {
                site_id: SiteId(id),
                region: "local".parse().unwrap(),
                scheduled_at: DateTime::from_timestamp(seconds, 0).unwrap(),
            },
            config: Arc::new(SiteConfig::from_json(json.as_object().unwrap()).unwrap()),
        }
    }

    #[test]
    fn the_next_slot_of_a_waiting_site_displaces_the_waiting_one_in_place() {
        let mut backlog = Backlog::default();
        assert_eq!(backlog.push(due(1, 10)), None);
        assert_eq!(backlog.push(due(2, 11)), None);
        assert_eq!(backlog.push(due(1, 20)), Some(due(1, 10).slot));
        assert_eq!(backlog.len(), 2);
        assert_eq!(backlog.pop().map(|due| due.slot), Some(due(1, 20).slot));
        assert_eq!(backlog.pop().map(|due| due.slot), Some(due(2, 11).slot));
        assert!(backlog.pop().is_none());
    }
}

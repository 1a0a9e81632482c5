//! Due checks that wait for room to start. Pure.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, Utc};
use monitor_core::{SiteId, Slot};

use crate::schedule::Due;

/// Due checks in the order in which they came due, at most one per site: when the next slot of a
/// site comes due first, the waiting one can no longer start in its time.
///
/// A host that has as many checks running as it may have holds back its own checks and nobody
/// else's.
#[derive(Debug)]
pub(crate) struct Backlog {
    max_per_host: usize,
    order: VecDeque<SiteId>,
    waiting: HashMap<SiteId, Due>,
    /// The hosts with checks running.
    hosts: HashMap<String, Host>,
}

#[derive(Debug, Default)]
struct Host {
    running: usize,
    held: VecDeque<SiteId>,
}

impl Backlog {
    /// Nothing waits; a host may have `max_per_host` checks running.
    pub(crate) fn new(max_per_host: usize) -> Self {
        Self {
            max_per_host,
            order: VecDeque::new(),
            waiting: HashMap::new(),
            hosts: HashMap::new(),
        }
    }

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

    /// Takes the check that has waited longest among those whose host has room. Its host is to be
    /// told of the end by [`finished`](Self::finished).
    pub(crate) fn pop(&mut self) -> Option<Due> {
        loop {
            let id = self.order.pop_front()?;
            let Some(due) = self.waiting.remove(&id) else {
                continue;
            };
            let host = match self.hosts.get_mut(due.target.host()) {
                Some(host) => host,
                None => self.hosts.entry(due.target.host().to_owned()).or_default(),
            };
            if host.running < self.max_per_host {
                host.running += 1;
                return Some(due);
            }
            self.waiting.insert(id, due);
            host.held.push_back(id);
        }
    }

    /// A check of this host has ended: the one that it has held back longest is next.
    pub(crate) fn finished(&mut self, host: &str) {
        let Some(state) = self.hosts.get_mut(host) else {
            return;
        };
        state.running = state.running.saturating_sub(1);
        if let Some(next) = state.held.pop_front() {
            self.order.push_front(next);
        } else if state.running == 0 {
            self.hosts.remove(host);
        }
    }

    /// Takes everything that waits, whatever its host.
    pub(crate) fn drain(&mut self) -> Vec<Slot> {
        self.order.clear();
        for host in self.hosts.values_mut() {
            host.held.clear();
        }
        self.waiting.drain().map(|(_, due)| due.slot).collect()
    }

    /// How many checks wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The earliest slot that waits.
    pub(crate) fn earliest(&self) -> Option<DateTime<Utc>> {
        let slots = self.waiting.values().map(|due| due.slot.scheduled_at);
        slots.min()
    }
}

#[cfg(test)]
mod tests {
    use monitor_core::{Site, SiteConfig};
    use serde_json::json;

    use super::*;
    use crate::compact::Compactor;

    fn due(id: i64, seconds: i64, host: &str) -> Due {
        let json = json!({"url": format!("http://{host}/")});
        let site = Site {
            id: SiteId(id),
            config: SiteConfig::from_json(json.as_object().unwrap()).unwrap(),
        };
        Due {
            slot: Slot {
                site_id: SiteId(id),
                region: "local".parse().unwrap(),
                scheduled_at: DateTime::from_timestamp(seconds, 0).unwrap(),
            },
            target: Compactor::default().compact(site).target,
        }
    }

    fn popped(backlog: &mut Backlog) -> Option<i64> {
        backlog.pop().map(|due| due.slot.site_id.0)
    }

    #[test]
    fn the_next_slot_of_a_waiting_site_displaces_the_waiting_one_in_place() {
        let mut backlog = Backlog::new(9);
        assert_eq!(backlog.push(due(1, 10, "a")), None);
        assert_eq!(backlog.push(due(2, 11, "a")), None);
        assert_eq!(backlog.push(due(1, 20, "a")), Some(due(1, 10, "a").slot));
        assert_eq!(backlog.len(), 2);
        assert_eq!(backlog.pop().unwrap().slot, due(1, 20, "a").slot);
        assert_eq!(backlog.pop().unwrap().slot, due(2, 11, "a").slot);
        assert!(backlog.pop().is_none());
    }

    #[test]
    fn a_host_that_is_busy_holds_back_its_own_checks_and_nobody_elses() {
        let mut backlog = Backlog::new(2);
        for (id, host) in (1..).zip(["slow", "slow", "slow", "slow", "quick", "quick"]) {
            backlog.push(due(id, 10, host));
        }
        let started: Vec<_> = std::iter::from_fn(|| popped(&mut backlog)).collect();
        assert_eq!(started, [1, 2, 5, 6]);
        assert_eq!(backlog.len(), 2);

        backlog.finished("quick");
        assert_eq!(popped(&mut backlog), None);
        backlog.finished("slow");
        assert_eq!(
            (popped(&mut backlog), popped(&mut backlog)),
            (Some(3), None)
        );
    }

    #[test]
    fn a_check_that_is_held_back_can_be_displaced_too() {
        let mut backlog = Backlog::new(1);
        backlog.push(due(1, 10, "slow"));
        backlog.push(due(2, 10, "slow"));
        assert_eq!(
            (popped(&mut backlog), popped(&mut backlog)),
            (Some(1), None)
        );
        assert_eq!(
            backlog.push(due(2, 20, "slow")),
            Some(due(2, 10, "slow").slot)
        );
        backlog.finished("slow");
        assert_eq!(backlog.pop().unwrap().slot, due(2, 20, "slow").slot);
    }

    #[test]
    fn what_is_drained_is_everything() {
        let mut backlog = Backlog::new(1);
        for id in 1..=3 {
            backlog.push(due(id, id, "slow"));
        }
        assert_eq!(popped(&mut backlog), Some(1));
        assert_eq!(popped(&mut backlog), None);
        assert_eq!(backlog.earliest(), DateTime::from_timestamp(2, 0));
        assert_eq!(backlog.drain().len(), 2);
        assert_eq!((backlog.len(), backlog.earliest()), (0, None));
    }
}

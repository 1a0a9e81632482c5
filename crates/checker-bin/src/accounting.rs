//! Every slot of every site ends exactly once, whatever happens to sites, clock and room: schedule,
//! backlog and running checks together, in a time of the test's own.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::{Site, SiteConfig, SiteId, Slot, Slots};
use proptest::prelude::*;
use serde_json::json;

use crate::backlog::Backlog;
use crate::compact::{CompactSite, Compactor};
use crate::schedule::{Due, Schedule};

#[derive(Clone, Debug)]
enum Event {
    Advance(i64),
    /// By less than the schedule starts anew for.
    SetBack(i64),
    /// Sites by id: interval in seconds, and on which of a few hosts.
    Replace(Vec<(i64, u64, u8)>),
    /// So many of the running checks end.
    Finish(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let site = (1..8_i64, prop_oneof![Just(1_u64), 2..90_u64], 0..3_u8);
    prop_oneof![
        4 => (0..120_000_i64).prop_map(Event::Advance),
        1 => (0..59_000_i64).prop_map(Event::SetBack),
        2 => prop::collection::vec(site, 0..8).prop_map(Event::Replace),
        4 => (0..12_usize).prop_map(Event::Finish),
    ]
}

/// A checker without checks: it does with slots what the real one does.
struct Model {
    schedule: Schedule,
    backlog: Backlog,
    running: Vec<Due>,
    max_in_flight: usize,
    now: DateTime<Utc>,
    reached: DateTime<Utc>,
    ended: HashSet<Slot>,
    /// The slots that each site has, and from when on.
    monitored: HashMap<i64, (Slots, DateTime<Utc>)>,
    expected: HashSet<Slot>,
}

impl Model {
    fn new(max_in_flight: usize, max_per_host: usize) -> Self {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let mut schedule = Schedule::new("local".parse().unwrap());
        schedule.take_due(start);
        Self {
            schedule,
            backlog: Backlog::new(max_per_host),
            running: Vec::new(),
            max_in_flight,
            now: start,
            reached: start,
            ended: HashSet::new(),
            monitored: HashMap::new(),
            expected: HashSet::new(),
        }
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Advance(millis) => self.now += TimeDelta::milliseconds(millis),
            Event::SetBack(millis) => {
                self.now = self.now.max(self.reached) - TimeDelta::milliseconds(millis);
            }
            Event::Replace(sites) => {
                self.take_due();
                self.replace(&sites);
            }
            Event::Finish(count) => {
                for due in self
                    .running
                    .drain(..count.min(self.running.len()))
                    .collect::<Vec<_>>()
                {
                    self.backlog.finished(due.target.host());
                    self.end(&due.slot);
                }
            }
        }
        self.reached = self.reached.max(self.now);
        self.take_due();
        while self.running.len() < self.max_in_flight {
            let Some(due) = self.backlog.pop() else { break };
            self.running.push(due);
        }
    }

    fn take_due(&mut self) {
        let due = self.schedule.take_due(self.now);
        let displaced = due
            .checks
            .into_iter()
            .filter_map(|due| self.backlog.push(due));
        let missed: Vec<_> = due.missed.into_iter().chain(displaced).collect();
        for slot in missed {
            self.end(&slot);
        }
    }

    fn end(&mut self, slot: &Slot) {
        assert!(self.ended.insert(slot.clone()), "{slot:?} ended twice");
    }

    fn replace(&mut self, sites: &[(i64, u64, u8)]) {
        let sites: HashMap<i64, CompactSite> = sites
            .iter()
            .map(|(id, interval, host)| (*id, site(*id, *interval, *host)))
            .collect();
        let now = self.reached.max(self.now);
        for id in self.monitored.keys().copied().collect::<Vec<_>>() {
            let kept = sites
                .get(&id)
                .map(|site| Slots::new(site.id, site.target.rules.interval));
            if kept != self.monitored.get(&id).map(|(slots, _)| *slots) {
                self.expect(id, now);
            }
        }
        for (id, site) in &sites {
            let slots = Slots::new(site.id, site.target.rules.interval);
            self.monitored.entry(*id).or_insert((slots, now));
        }
        self.schedule
            .replace(sites.into_values().collect(), self.now);
    }

    /// The site is not monitored in this way any more: its slots up to `end` must have ended.
    fn expect(&mut self, id: i64, end: DateTime<Utc>) {
        let Some((slots, from)) = self.monitored.remove(&id) else {
            return;
        };
        let mut at = slots.after(from);
        while at <= end {
            self.expected.insert(Slot {
                site_id: SiteId(id),
                region: "local".parse().unwrap(),
                scheduled_at: at,
            });
            at = slots.after(at);
        }
    }

    fn finish(mut self) {
        let end = self.reached;
        self.now = end;
        self.take_due();
        for slot in self.backlog.drain() {
            self.end(&slot);
        }
        for due in std::mem::take(&mut self.running) {
            self.end(&due.slot);
        }
        for id in self.monitored.keys().copied().collect::<Vec<_>>() {
            self.expect(id, end);
        }
        let lost: Vec<_> = self.expected.difference(&self.ended).collect();
        assert!(lost.is_empty(), "never ended: {lost:?}");
        let odd: Vec<_> = self.ended.difference(&self.expected).collect();
        assert!(odd.is_empty(), "ended without being due: {odd:?}");
    }
}

fn site(id: i64, interval: u64, host: u8) -> CompactSite {
    let (url, interval) = (format!("http://host{host}/"), format!("{interval}s"));
    let json = json!({"url": url, "interval": interval});
    let config = SiteConfig::from_json(json.as_object().unwrap()).unwrap();
    let id = SiteId(id);
    Compactor::default().compact(Site { id, config })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_slot_ends_exactly_once(
        events in prop::collection::vec(event(), 1..60),
        max_in_flight in 1..6_usize,
        max_per_host in 1..4_usize,
    ) {
        let mut model = Model::new(max_in_flight, max_per_host);
        for event in events {
            model.apply(event);
        }
        model.finish();
    }
}

//! Which site is due when. Pure: time is an argument.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::{Region, SiteId, Slot, Slots};

use crate::compact::{CompactSite, Target};

/// How far back slots that nobody checked are told as missed, after the clock leapt forward or the
/// machine slept. What is older is a gap without rows.
const HORIZON: TimeDelta = TimeDelta::hours(1);
/// How far the clock may be set back before the slots that come again are checked again. Until it is
/// where it was, nothing is due; that must not take long.
const SETBACK: TimeDelta = TimeDelta::minutes(1);

/// A slot whose time has come.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    /// The slot.
    pub(crate) slot: Slot,
    /// What to check.
    pub(crate) target: Target,
}

/// What has come due since the schedule was last asked.
#[derive(Debug, Default)]
pub(crate) struct DueNow {
    /// At most one slot per site: its latest.
    pub(crate) checks: Vec<Due>,
    /// Slots that went by before anyone asked, oldest first.
    pub(crate) missed: Vec<Slot>,
}

/// The slots of all sites of one region, in order.
#[derive(Debug)]
pub(crate) struct Schedule {
    region: Region,
    planned: HashMap<SiteId, Planned>,
    /// The next slot of every site; an entry whose generation is not the site's is void.
    next: BinaryHeap<Reverse<(DateTime<Utc>, SiteId, u32)>>,
    generations: u32,
    /// The latest instant at which anything was taken.
    reached: DateTime<Utc>,
}

/// There may be a million of them: what follows from the site is not kept.
#[derive(Debug)]
struct Planned {
    target: Target,
    generation: u32,
}

impl Planned {
    fn slots(&self, id: SiteId) -> Slots {
        Slots::new(id, self.target.rules.interval)
    }
}

impl Schedule {
    /// An empty schedule for `region`.
    pub(crate) fn new(region: Region) -> Self {
        Self {
            region,
            planned: HashMap::new(),
            next: BinaryHeap::new(),
            generations: 0,
            reached: DateTime::UNIX_EPOCH,
        }
    }

    /// Makes `sites` the ones to check. A site whose interval stays keeps its place; any other
    /// begins with its first slot after `now`, and after all that was ever taken.
    pub(crate) fn replace(&mut self, sites: Vec<CompactSite>, now: DateTime<Utc>) {
        let now = now.max(self.reached);
        let mut before = std::mem::take(&mut self.planned);
        for CompactSite { id, target } in sites {
            if !target.rules.is_checked_from(&self.region) {
                continue;
            }
            let slots = Slots::new(id, target.rules.interval);
            let kept = before
                .remove(&id)
                .filter(|planned| planned.slots(id) == slots);
            let generation =
                kept.map_or_else(|| self.plan(id, slots.after(now)), |kept| kept.generation);
            self.planned.insert(id, Planned { target, generation });
        }
    }

    /// Whether a site is checked.
    pub(crate) fn contains(&self, id: SiteId) -> bool {
        self.planned.contains_key(&id)
    }

    fn plan(&mut self, id: SiteId, first: DateTime<Utc>) -> u32 {
        self.generations = self.generations.wrapping_add(1);
        self.next.push(Reverse((first, id, self.generations)));
        self.generations
    }

    /// How many sites are checked.
    pub(crate) fn len(&self) -> usize {
        self.planned.len()
    }

    /// When something next comes due, if anything does.
    pub(crate) fn next_due(&self) -> Option<DateTime<Utc>> {
        self.next.peek().map(|Reverse((at, _, _))| *at)
    }

    /// Takes everything that is due at `now`.
    pub(crate) fn take_due(&mut self, now: DateTime<Utc>) -> DueNow {
        if now < self.reached - SETBACK {
            tracing::warn!(before = %self.reached, %now, "the clock was set back: starting anew from now");
            self.start_anew(now);
        }
        self.reached = self.reached.max(now);
        let mut due = DueNow::default();
        while let Some(&Reverse((at, id, generation))) = self.next.peek() {
            if at > now {
                break;
            }
            self.next.pop();
            let Some(site) = self
                .planned
                .get(&id)
                .filter(|site| site.generation == generation)
            else {
                continue;
            };
            let slots = site.slots(id);
            let latest = slots.at_or_before(now);
            due.missed
                .extend(self.slots_between(slots, id, at.max(now - HORIZON), latest));
            let slot = self.slot(id, latest);
            due.checks.push(Due {
                slot,
                target: site.target.clone(),
            });
            self.next
                .push(Reverse((slots.after(latest), id, generation)));
        }
        due
    }

    /// Begins with the first slot of every site after `now`.
    fn start_anew(&mut self, now: DateTime<Utc>) {
        self.reached = now;
        self.next.clear();
        for (id, site) in &self.planned {
            self.next
                .push(Reverse((site.slots(*id).after(now), *id, site.generation)));
        }
    }

    /// The current slot of every site: for checking each once.
    pub(crate) fn current(&self, now: DateTime<Utc>) -> Vec<Due> {
        let due = |(id, site): (&SiteId, &Planned)| Due {
            slot: self.slot(*id, site.slots(*id).at_or_before(now)),
            target: site.target.clone(),
        };
        self.planned.iter().map(due).collect()
    }

    fn slots_between(
        &self,
        slots: Slots,
        id: SiteId,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Vec<Slot> {
        // One millisecond earlier, because `after` leaves out the instant itself.
        let first = slots.after(from - TimeDelta::milliseconds(1));
        let following = |at: &DateTime<Utc>| Some(slots.after(*at));
        std::iter::successors(Some(first), following)
            .take_while(|at| *at < until)
            .map(|at| self.slot(id, at))
            .collect()
    }

    fn slot(&self, site_id: SiteId, scheduled_at: DateTime<Utc>) -> Slot {
        Slot {
            site_id,
            region: self.region.clone(),
            scheduled_at,
        }
    }
}

#[cfg(test)]
mod tests;

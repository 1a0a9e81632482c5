//! New checks, minute by minute as a checker would send them, which the sink stores.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow};
use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use local_stack::Control;
use monitor_core::event::Warning;
use monitor_core::{CheckEvent, Outcome, Region, SiteId, Slot};

use super::fleet::{self, Fleet, REGIONS, State};
use crate::sink::{Feeder, Sink, event};
use crate::stack::Stack;

const PAUSE: Duration = Duration::from_secs(1);

/// Sends the checks of every second, until it is stopped.
pub(super) struct Writer {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Result<()>>,
    sink: Option<Sink>,
}

impl Writer {
    /// Goes on where the fleet's checks end.
    pub(super) fn start(stack: &Stack, topic: &str, fleet: Fleet) -> Result<Self> {
        let feeder = Feeder::new(stack, topic)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let control = stack.control.clone();
        let until = Arc::clone(&is_over);
        let regions = REGIONS.map(str::parse::<Region>);
        let [here, there] = regions;
        let regions = [here?, there?];
        let thread = thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || send(feeder, fleet, &regions, &until, &control))?;
        Ok(Self {
            is_over,
            thread,
            sink: None,
        })
    }

    /// Has the sink with it, which ends with it.
    pub(super) fn with(self, sink: Sink) -> Self {
        Self {
            sink: Some(sink),
            ..self
        }
    }

    pub(super) fn stop(self) -> Result<()> {
        self.is_over.store(true, Ordering::Relaxed);
        let ended = self.thread.join();
        ended.map_err(|_| anyhow!("the writer has panicked"))??;
        self.sink.map_or(Ok(()), Sink::stop)
    }
}

fn send(
    mut feeder: Feeder,
    fleet: Fleet,
    regions: &[Region],
    is_over: &AtomicBool,
    control: &Control,
) -> Result<()> {
    let mut next = fleet.end;
    while !is_over.load(Ordering::Relaxed) {
        while next <= Utc::now() {
            for slot in slots(fleet, regions, next) {
                feeder.send(&check(&slot))?;
            }
            next += TimeDelta::seconds(1);
        }
        control.poll(PAUSE, || Ok(is_over.load(Ordering::Relaxed).then_some(())))?;
    }
    feeder.finish()
}

/// What is due in a second.
fn slots(
    fleet: Fleet,
    regions: &[Region],
    scheduled_at: DateTime<Utc>,
) -> impl Iterator<Item = Slot> {
    let second = i64::from(scheduled_at.second());
    let is_due =
        move |site: &SiteId| fleet.second_of(*site) == second && State::of(*site) != State::Silent;
    fleet.ids().filter(is_due).flat_map(move |site_id| {
        regions.iter().cloned().map(move |region| Slot {
            site_id,
            region,
            scheduled_at,
        })
    })
}

/// As all checks of its site.
fn check(slot: &Slot) -> CheckEvent {
    let state = State::of(slot.site_id);
    let mut event = event(slot, state == State::Down);
    if state == State::Degraded {
        event.outcome = Outcome::Degraded;
        event.warnings = vec![Warning::CertExpiresSoon];
    }
    if let Some(tls) = &mut event.tls {
        let midnight = slot
            .scheduled_at
            .date_naive()
            .and_time(chrono::NaiveTime::MIN);
        tls.not_after = Some(midnight.and_utc() + TimeDelta::days(fleet::days_left(slot.site_id)));
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_minute_each_site_is_checked_once_in_each_region_and_as_it_is() {
        let end = DateTime::from_timestamp(1_790_000_040, 0).unwrap();
        let fleet = Fleet { sites: 300, end };
        let regions = REGIONS.map(|region| region.parse().unwrap());
        let seconds = (0..60).map(|second| end + TimeDelta::seconds(second));
        let slots: Vec<_> = seconds
            .flat_map(|second| slots(fleet, &regions, second))
            .collect();
        assert_eq!(slots.len(), 2 * (300 - 6));
        let of = |outcome: Outcome| {
            let checks = slots.iter().map(check);
            checks.filter(|check| check.outcome == outcome).count()
        };
        assert_eq!((of(Outcome::Down), of(Outcome::Degraded)), (2 * 3, 2 * 6));
    }

    #[test]
    fn a_sixth_of_the_sites_is_checked_in_ten_seconds() {
        let end = DateTime::from_timestamp(1_790_000_040, 0).unwrap();
        let fleet = Fleet { sites: 600, end };
        let in_ten_seconds = fleet.ids().filter(|site| fleet.second_of(*site) < 10);
        assert_eq!(in_ten_seconds.count(), 100);
    }
}

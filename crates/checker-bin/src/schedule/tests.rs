//! Every slot of every site comes out exactly once, whatever happens to clock and sites.

use std::collections::HashSet;

use monitor_core::{Site, SiteConfig};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::compact::Compactor;

fn instant(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_800_000_000_000 + millis).unwrap()
}

fn site(id: i64, interval_s: u64) -> CompactSite {
    let json = json!({"url": "http://h/", "interval": format!("{interval_s}s")});
    compact(
        SiteConfig::from_json(json.as_object().unwrap()).unwrap(),
        id,
    )
}

fn compact(config: SiteConfig, id: i64) -> CompactSite {
    let id = SiteId(id);
    Compactor::default().compact(Site { id, config })
}

fn schedule(sites: Vec<CompactSite>, now: DateTime<Utc>) -> Schedule {
    let mut schedule = Schedule::new("local".parse().unwrap());
    schedule.replace(sites, now);
    schedule
}

fn slots(due: DueNow) -> Vec<Slot> {
    due.missed
        .into_iter()
        .chain(due.checks.into_iter().map(|due| due.slot))
        .collect()
}

proptest! {
    #[test]
    fn every_slot_comes_out_exactly_once(
        intervals in prop::collection::vec(1..90_u64, 1..20),
        steps in prop::collection::vec(1..200_000_i64, 1..50),
    ) {
        let sites = (1..).zip(&intervals).map(|(id, interval)| site(id, *interval)).collect();
        let mut schedule = schedule(sites, instant(0));
        let (mut seen, mut now) = (HashSet::new(), 0);
        for step in steps {
            now += step;
            for slot in slots(schedule.take_due(instant(now))) {
                prop_assert!(slot.scheduled_at > instant(0) && slot.scheduled_at <= instant(now));
                prop_assert!(seen.insert(slot), "a slot came twice");
            }
        }
        for (id, interval) in (1..).zip(intervals) {
            let slots = Slots::new(SiteId(id), std::time::Duration::from_secs(interval));
            let mut expected = slots.after(instant(0));
            while expected <= instant(now) {
                let slot = Slot {
                    site_id: SiteId(id), region: "local".parse().unwrap(), scheduled_at: expected,
                };
                prop_assert!(seen.contains(&slot), "{slot:?} never came");
                expected = slots.after(expected);
            }
        }
    }

    #[test]
    fn replacing_the_sites_neither_loses_nor_doubles_a_slot_of_those_that_stay(
        replacements in prop::collection::vec((1..30_000_i64, 1..4_i64), 1..30),
    ) {
        let mut schedule = schedule(vec![site(1, 7)], instant(0));
        let (mut seen, mut now) = (Vec::new(), 0);
        for (step, others) in replacements {
            now += step;
            let sites = std::iter::once(site(1, 7)).chain((2..2 + others).map(|id| site(id, 3)));
            schedule.replace(sites.collect(), instant(now));
            let of_one = |slot: &Slot| slot.site_id == SiteId(1);
            seen.extend(slots(schedule.take_due(instant(now))).into_iter().filter(of_one));
        }
        let gaps = seen.windows(2).map(|pair| pair[1].scheduled_at - pair[0].scheduled_at);
        for gap in gaps {
            prop_assert_eq!(gap, TimeDelta::seconds(7));
        }
    }
}

#[test]
fn a_removed_or_disabled_site_is_not_checked_again() {
    let mut schedule = schedule(vec![site(1, 1), site(2, 1)], instant(0));
    let mut disabled = SiteConfig::clone(&site(2, 1).target.rules);
    disabled.enabled = false;
    schedule.replace(vec![compact(disabled, 2)], instant(0));
    assert_eq!(schedule.len(), 0);
    assert!(slots(schedule.take_due(instant(60_000))).is_empty());
}

#[test]
fn a_site_of_another_region_is_not_checked() {
    let mut elsewhere = SiteConfig::clone(&site(1, 1).target.rules);
    elsewhere.regions = vec!["mars".parse().unwrap()];
    let schedule = schedule(vec![compact(elsewhere, 1)], instant(0));
    assert_eq!(schedule.next_due(), None);
}

#[test]
fn a_changed_interval_starts_with_its_next_slot() {
    let mut schedule = schedule(vec![site(1, 60)], instant(0));
    schedule.replace(vec![site(1, 2)], instant(0));
    let due = schedule.next_due().unwrap();
    assert!(due > instant(0) && due <= instant(2_000));
}

#[test]
fn after_a_night_of_sleep_only_the_last_hour_is_told_as_missed() {
    let mut schedule = schedule(vec![site(1, 60)], instant(0));
    let due = schedule.take_due(instant(8 * 3_600_000));
    assert_eq!(due.checks.len(), 1);
    assert!(
        (59..=60).contains(&due.missed.len()),
        "{}",
        due.missed.len()
    );
}

#[test]
fn a_clock_that_is_set_back_repeats_nothing() {
    let mut schedule = schedule(vec![site(1, 5)], instant(0));
    assert!(!slots(schedule.take_due(instant(60_000))).is_empty());
    assert!(slots(schedule.take_due(instant(30_000))).is_empty());
}

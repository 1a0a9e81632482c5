//! When a site is due, and what identifies the result.

use std::io::Write as _;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use crate::region::Region;
use crate::site::SiteId;

/// The slots of one site: the instants `phase + k × interval` of the wall clock, in milliseconds
/// since the Unix epoch.
///
/// The phase is a hash of the site's id, so load spreads evenly over the interval, and every
/// checker computes the same slots without talking to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    phase_ms: i64,
    interval_ms: i64,
}

impl Slots {
    /// The slots of `site`, checked every `interval` (at least one millisecond).
    #[must_use]
    pub fn new(site: SiteId, interval: Duration) -> Self {
        let interval_ms = i64::try_from(interval.as_millis())
            .unwrap_or(i64::MAX)
            .max(1);
        let hash = xxh3_64(&site.0.to_le_bytes());
        let phase_ms = hash % interval_ms.unsigned_abs();
        Self {
            phase_ms: i64::try_from(phase_ms).unwrap_or(0),
            interval_ms,
        }
    }

    /// The last slot at or before `instant`.
    #[must_use]
    pub fn at_or_before(&self, instant: DateTime<Utc>) -> DateTime<Utc> {
        let elapsed = instant.timestamp_millis() - self.phase_ms;
        let slot_ms = elapsed.div_euclid(self.interval_ms) * self.interval_ms + self.phase_ms;
        DateTime::from_timestamp_millis(slot_ms).unwrap_or(instant)
    }

    /// The first slot after `instant`.
    #[must_use]
    pub fn after(&self, instant: DateTime<Utc>) -> DateTime<Utc> {
        self.at_or_before(instant) + TimeDelta::milliseconds(self.interval_ms)
    }
}

/// One scheduled check: the identity of its result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// Which site.
    pub site_id: SiteId,
    /// From where.
    pub region: Region,
    /// For when, in whole milliseconds.
    pub scheduled_at: DateTime<Utc>,
}

/// Namespace of check ids: the UUID v5 of `monitor.check.v1` in the URL namespace.
const NAMESPACE: Uuid = Uuid::from_u128(0x3a6a_61f7_06ae_57b9_adfd_c49a_1ddc_3dcf);

impl Slot {
    /// The id of this slot's result: a UUID v5 of site, region and instant, the same whoever
    /// computes it and however often.
    #[must_use]
    pub fn check_id(&self) -> Uuid {
        check_id(self.site_id, &self.region, self.scheduled_at)
    }
}

/// The id of the result of a slot that may be in parts.
pub(crate) fn check_id<T: AsRef<str>>(
    site_id: SiteId,
    region: &Region<T>,
    scheduled_at: DateTime<Utc>,
) -> Uuid {
    let millis = scheduled_at.timestamp_millis();
    // Two numbers of at most 20 characters, a region of at most 63, and what is between them.
    let mut name = [0; 128];
    let mut rest = name.as_mut_slice();
    let written = write!(rest, "{site_id}/{region}/{millis}");
    debug_assert!(written.is_ok(), "a region is longer than a region can be");
    let length = 128 - rest.len();
    Uuid::new_v5(&NAMESPACE, &name[..length])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn instant(millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(millis).unwrap()
    }

    #[test]
    fn the_id_of_a_result_never_changes() {
        let slot = Slot {
            site_id: SiteId(42),
            region: "eu-north-1".parse().unwrap(),
            scheduled_at: instant(1_767_607_207_000),
        };
        assert_eq!(
            slot.check_id().to_string(),
            "4fad226b-ee73-5959-bbf9-04d15412d6f1"
        );
    }

    proptest! {
        #[test]
        fn slots_are_one_interval_apart_and_enclose_the_instant(
            id in 1..i64::MAX, interval_ms in 1_000..86_400_000_u64, now in 0..4_000_000_000_000_i64,
        ) {
            let slots = Slots::new(SiteId(id), Duration::from_millis(interval_ms));
            let (before, after) = (slots.at_or_before(instant(now)), slots.after(instant(now)));
            prop_assert!(before <= instant(now) && instant(now) < after);
            prop_assert_eq!((after - before).num_milliseconds().unsigned_abs(), interval_ms);
            prop_assert_eq!(slots.at_or_before(before), before);
            prop_assert_eq!(slots.at_or_before(after), after);
        }
    }

    #[test]
    fn a_thousand_sites_spread_over_the_interval() {
        let minute = Duration::from_mins(1);
        let mut per_second = [0_u32; 60];
        for id in 1..=1_000 {
            let phase = Slots::new(SiteId(id), minute).phase_ms;
            per_second[usize::try_from(phase / 1_000).unwrap()] += 1;
        }
        assert!(
            per_second.iter().all(|count| (4..=36).contains(count)),
            "{per_second:?}"
        );
    }
}

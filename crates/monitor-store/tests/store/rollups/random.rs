//! Checks of every kind, from a seed.

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use monitor_core::event::{ContentMatch, Timings};
use monitor_core::{CheckEvent, Failure, FailureKind, Outcome};
use strum::VariantArray as _;

use crate::sample::{event, slot};

/// The first hour of the checks: two before a midnight in UTC, in winter.
pub(crate) fn begin() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_650_400, 0).unwrap()
}

/// How many hours the checks are spread over.
pub(crate) const HOURS: i64 = 30;

/// A check of one of a few sites in one of two regions, in one of `hours` from the begin on. There
/// are few slots, so that many checks are of the same.
pub(crate) fn check(rng: &mut Rng, hours: std::ops::Range<i64>) -> CheckEvent {
    let at = begin() + TimeDelta::hours(rng.i64(hours)) + TimeDelta::minutes(5 * rng.i64(0..12));
    let region = ["eu", "us"][rng.usize(0..2)];
    let outcome = *pick(rng, Outcome::VARIANTS);
    let mut check = event(&slot(rng.i64(1..4), region, at), outcome);
    if let Some(failure) = &mut check.failure {
        let fault = failure.kind.fault();
        let kinds = FailureKind::VARIANTS.iter();
        let kinds: Vec<_> = kinds.filter(|kind| kind.fault() == fault).collect();
        *failure = Failure::new(**pick(rng, &kinds), failure.phase, "told in one line");
    }
    if outcome.is_verdict() {
        let mut micros = || rng.bool().then(|| rng.u32(..) >> rng.u32(1..32));
        check.timings_us = Timings {
            dns: micros(),
            connect: micros(),
            tls: micros(),
            first_byte: micros(),
            transfer: micros(),
            total: micros(),
        };
        check.status_code = *pick(rng, &[None, Some(200), Some(200), Some(503), Some(999)]);
        check.content = *pick(rng, ContentMatch::VARIANTS);
        check.suspect = rng.u8(0..4) == 0;
    }
    check
}

fn pick<'a, T>(rng: &mut Rng, values: &'a [T]) -> &'a T {
    &values[rng.usize(0..values.len())]
}

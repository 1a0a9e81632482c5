//! What the topic is filled with: checks of many sites, in the order in which they would be made.

use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::event::{ContentMatch, HttpFacts, SCHEMA, Timings, TlsFacts};
use monitor_core::{CheckEvent, Failure, FailureKind, Outcome, Phase, Region, SiteId, Slot};

/// One in so many checks has failed.
const FAILS: u64 = 20;
/// Of the rest, one in so many took several times as long as usual.
const SLOW: u64 = 50;

/// Sites that are checked again and again from one region.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) region: Region,
    pub(crate) sites: u32,
    pub(crate) first: DateTime<Utc>,
    /// Between any two checks, of whichever sites.
    pub(crate) gap: TimeDelta,
    pub(crate) count: u32,
}

impl Workload {
    /// All events, in the order of their slots: site after site.
    pub(crate) fn events(&self) -> impl Iterator<Item = CheckEvent> {
        (0..self.count).map(|number| self.event(number))
    }

    /// The event of this number.
    pub(crate) fn event(&self, number: u32) -> CheckEvent {
        let site = i64::from(number % self.sites) + 1;
        let at = i32::try_from(number).map_or(TimeDelta::MAX, |number| self.gap * number);
        let slot = Slot {
            site_id: SiteId(site),
            region: self.region.clone(),
            scheduled_at: self.first + at,
        };
        event(&slot, random(&slot).is_multiple_of(FAILS))
    }
}

/// The check of a slot: its numbers look random, and are the same in every run.
pub(crate) fn event(slot: &Slot, failed: bool) -> CheckEvent {
    let site = slot.site_id.0.unsigned_abs();
    let random = random(slot);
    let started = TimeDelta::milliseconds(i64::try_from(random % 3).unwrap_or(0));
    let failure = failed.then(|| failure(random / FAILS, site));
    let phase = failure.as_ref().and_then(|failure| failure.phase);
    let answered = phase.is_none_or(|phase| phase >= Phase::Body);
    let kind = failure.as_ref().map(|failure| failure.kind);
    let content = match (answered, kind) {
        (true, Some(FailureKind::ContentUnmatched)) => ContentMatch::Unmatched,
        (true, None) => ContentMatch::Matched,
        _ => ContentMatch::NotChecked,
    };
    let passed = |phase_before: Phase| phase.is_none_or(|phase| phase > phase_before);
    CheckEvent {
        schema: SCHEMA.to_owned(),
        id: slot.check_id(),
        site_id: slot.site_id,
        region: slot.region.clone(),
        checker: "checker-eu-north-1-7f9c".to_owned(),
        scheduled_at: slot.scheduled_at,
        started_at: Some(slot.scheduled_at + started),
        outcome: kind.map_or(Outcome::Up, |kind| kind.fault().outcome()),
        failure,
        warnings: Vec::new(),
        suspect: false,
        status_code: answered.then(|| status(kind)),
        content,
        timings_us: timings(random, site, phase),
        attempts: 1 + u16::from(failed),
        http: passed(Phase::Connect).then(|| http(site, answered)),
        tls: passed(Phase::Tls).then(|| tls(site, slot.scheduled_at)),
    }
}

fn random(slot: &Slot) -> u64 {
    let site = slot.site_id.0.unsigned_abs();
    scatter(site << 32 ^ slot.scheduled_at.timestamp_millis().unsigned_abs())
}

fn status(kind: Option<FailureKind>) -> u16 {
    match kind {
        Some(FailureKind::UnexpectedStatus) => 503,
        _ => 200,
    }
}

fn failure(random: u64, site: u64) -> Failure {
    let (kind, phase, detail) = match random % 5 {
        0 => (
            FailureKind::ConnectTimeout,
            Phase::Connect,
            format!("203.0.113.{}:443 did not answer within 10 s", site % 250),
        ),
        1 => (
            FailureKind::DnsTimeout,
            Phase::Dns,
            format!("no answer for site-{site}.example.com within 10 s"),
        ),
        2 => (
            FailureKind::ConnectionReset,
            Phase::FirstByte,
            "the connection was reset before the response".to_owned(),
        ),
        3 => (
            FailureKind::UnexpectedStatus,
            Phase::Assertion,
            "the status is 503, not one of 200-299".to_owned(),
        ),
        _ => (
            FailureKind::ContentUnmatched,
            Phase::Assertion,
            "the body does not match the pattern".to_owned(),
        ),
    };
    Failure::new(kind, Some(phase), &detail)
}

/// Each site is as far away as it is; a check takes a little more or less, and now and then a lot.
fn timings(random: u64, site: u64, died_in: Option<Phase>) -> Timings {
    let round_trip = 4_000 + scatter(site) % 60_000;
    let factor = if (random >> 8).is_multiple_of(SLOW) {
        2_000 + (random >> 16) % 8_000
    } else {
        850 + (random >> 16) % 400
    };
    let taking = |share: u64, bits: u32| {
        let jitter = 900 + (random >> bits) % 200;
        let micros = round_trip * share / 100 * factor / 1_000 * jitter / 1_000;
        u32::try_from(micros).unwrap_or(u32::MAX)
    };
    let reached = |phase: Phase, micros: u32| {
        died_in
            .is_none_or(|died_in| died_in > phase)
            .then_some(micros)
    };
    let phases = [
        reached(Phase::Dns, taking(20, 20)),
        reached(Phase::Connect, taking(100, 24)),
        reached(Phase::Tls, taking(130, 28)),
        reached(Phase::FirstByte, taking(250, 32)),
        reached(Phase::Body, taking(30, 36)),
    ];
    let [dns, connect, tls, first_byte, transfer] = phases;
    let died_after = if died_in.is_some() { 31_000 } else { 140 };
    let total = phases.into_iter().flatten().sum::<u32>() + died_after;
    Timings {
        dns,
        connect,
        tls,
        first_byte,
        transfer,
        total: Some(total),
    }
}

fn http(site: u64, answered: bool) -> HttpFacts {
    HttpFacts {
        version: answered.then(|| "1.1".to_owned()),
        remote_addr: Some(format!("203.0.113.{}:443", site % 250)),
        redirects: 0,
        final_url: Some(format!("https://site-{site}.example.com/health")),
        body_bytes: if answered { 2_000 + site % 9_000 } else { 0 },
        hops: Vec::new(),
    }
}

fn tls(site: u64, at: DateTime<Utc>) -> TlsFacts {
    let (high, low) = (scatter(site), scatter(!site));
    let digest = format!("{high:016x}{low:016x}").repeat(2);
    let days = |days: i64| {
        let midnight = at.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
        Some(midnight + TimeDelta::days(days))
    };
    TlsFacts {
        version: Some("1.3".to_owned()),
        cipher: Some("TLS13_AES_128_GCM_SHA256".to_owned()),
        subject: Some(format!("CN=site-{site}.example.com")),
        issuer: Some("C=US, O=Let's Encrypt, CN=E7".to_owned()),
        not_before: days(-30),
        not_after: days(60),
        sha256: Some(digest),
        ..TlsFacts::default()
    }
}

/// Neighbours in, anything out: the finaliser of `SplitMix64`.
fn scatter(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn workload(count: u32) -> Workload {
        Workload {
            region: "bench".parse().unwrap(),
            sites: 100,
            first: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
            gap: TimeDelta::milliseconds(600),
            count,
        }
    }

    #[test]
    fn every_event_is_a_slot_of_its_own_that_can_be_decoded() {
        let mut slots = HashSet::new();
        for event in workload(1_000).events() {
            let decoded = CheckEvent::decode(&event.encode().unwrap()).unwrap();
            assert_eq!(decoded, event);
            slots.insert((event.site_id, event.scheduled_at));
        }
        assert_eq!(slots.len(), 1_000);
    }

    #[test]
    fn about_one_in_twenty_has_failed() {
        let events: Vec<_> = workload(10_000).events().collect();
        let failed = events.iter().filter(|event| event.failure.is_some());
        assert!((400..600).contains(&failed.count()));
        let timed = |event: &&CheckEvent| event.timings_us.total.is_some();
        assert_eq!(events.iter().filter(timed).count(), events.len());
    }
}

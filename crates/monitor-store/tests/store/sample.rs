//! Events and sites to store.

use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::event::{ContentMatch, HttpFacts, Timings, Warning};
use monitor_core::{CheckEvent, Failure, FailureKind, Outcome, Phase, SiteConfig, SiteId, Slot};
use serde_json::Value;

/// 2026-01-05, 10:00 UTC, and `seconds` later.
pub(crate) fn instant(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_607_200 + seconds, 0).unwrap()
}

pub(crate) fn days(days: i64) -> TimeDelta {
    TimeDelta::days(days)
}

pub(crate) fn slot(site: i64, region: &str, at: DateTime<Utc>) -> Slot {
    Slot {
        site_id: SiteId(site),
        region: region.parse().unwrap(),
        scheduled_at: at,
    }
}

/// The event of a slot, with everything that such an outcome has.
pub(crate) fn event(slot: &Slot, outcome: Outcome) -> CheckEvent {
    let failure = |kind, phase| Some(Failure::new(kind, phase, "told in one line"));
    let mut event = CheckEvent::missed(
        slot,
        "checker-1",
        Failure::new(FailureKind::Overloaded, None, "too busy"),
    );
    if outcome == Outcome::Missed {
        return event;
    }
    event.outcome = outcome;
    event.failure = match outcome {
        Outcome::Down => failure(FailureKind::BodyTimeout, Some(Phase::Body)),
        Outcome::Error => failure(FailureKind::CheckerNetwork, Some(Phase::Connect)),
        _ => None,
    };
    if outcome == Outcome::Degraded {
        event.warnings = vec![Warning::SlowResponse, Warning::CertExpiresSoon];
    }
    event.started_at = Some(slot.scheduled_at + TimeDelta::milliseconds(3));
    event.attempts = 1;
    event.status_code = Some(200);
    event.content = ContentMatch::Matched;
    event.timings_us = Timings {
        dns: Some(1),
        connect: Some(2),
        tls: None,
        first_byte: Some(3),
        transfer: Some(4),
        total: Some(2_147_483_647),
    };
    event.http = Some(HttpFacts {
        version: Some("1.1".to_owned()),
        remote_addr: Some("203.0.113.7:80".to_owned()),
        redirects: 1,
        final_url: None,
        body_bytes: 5,
        hops: Vec::new(),
    });
    event
}

/// `count` events of several sites, regions and days.
pub(crate) fn many(count: i64) -> Vec<CheckEvent> {
    let one = |i: i64| {
        let region = ["eu", "us"][usize::try_from(i % 2).unwrap()];
        let at = instant(60 * i) + days(i % 3);
        event(&slot(1 + i % 7, region, at), Outcome::Up)
    };
    (0..count).map(one).collect()
}

pub(crate) fn site(json: &Value) -> SiteConfig {
    SiteConfig::from_json(json.as_object().unwrap()).unwrap()
}

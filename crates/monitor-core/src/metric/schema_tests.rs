//! What an answer looks like as JSON is what its schema says.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::*;
use crate::event::{ContentMatch, Timings, Warning};
use crate::failure::{Failure, FailureKind, Outcome, Phase};
use crate::histogram::Histogram;
use crate::region::Region;
use crate::site::SiteId;

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
}

fn region() -> Region {
    "eu".parse().unwrap()
}

/// The answer is as its schema says, and one without its fields would not be.
fn check<T: Serialize + JsonSchema>(answer: &T) {
    let mut generator = schemars::generate::SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let schema = generator.root_schema_for::<T>();
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    let json = serde_json::to_value(answer).unwrap();
    let errors = validator.iter_errors(&json).map(|error| error.to_string());
    assert_eq!(errors.collect::<Vec<_>>(), [""; 0], "{json}");
    assert!(!validator.is_valid(&serde_json::json!({})));
}

fn failure() -> Failure {
    Failure::new(
        FailureKind::TlsTimeout,
        Some(Phase::Tls),
        "it took too long",
    )
}

#[test]
fn of_what_many_checks_came_to() {
    let mut histogram = Histogram::default();
    histogram.record(7);
    check(&Summary {
        from: now(),
        to: now() + TimeDelta::hours(1),
        outcomes: OutcomeCounts::default(),
        uptime: None,
        coverage: Some(0.5),
        suspect: 1,
        content: ContentCounts::default(),
        failure_kinds: BTreeMap::from([(FailureKind::TlsTimeout, 3)]),
        status_codes: BTreeMap::from([(200, 7), (503, 1)]),
        durations: PhaseDurations {
            total: Statistics::of(&histogram, 7, (7, 7)),
            ..PhaseDurations::default()
        },
    });
}

#[test]
fn of_single_checks_and_certificates() {
    let (scheduled_at, outcome) = (now(), Outcome::Degraded);
    let cursor = Cursor {
        scheduled_at,
        region: region(),
    };
    check(&Page {
        items: vec![ResponseTime {
            scheduled_at,
            region: region(),
            outcome,
            timings_us: Timings::default(),
        }],
        next: Some(cursor),
    });
    check(&StatusCode {
        scheduled_at,
        region: region(),
        outcome,
        status_code: Some(599),
    });
    check(&ContentResult {
        scheduled_at,
        region: region(),
        outcome,
        content: ContentMatch::NotChecked,
    });
    check(&CertificateEnd {
        site: SiteId(1),
        name: "a".to_owned(),
        region: region(),
        not_after: now(),
        seen_at: now(),
    });
}

#[test]
fn of_outages() {
    let part = RegionalOutage {
        region: region(),
        started_at: now(),
        ended_at: None,
        precision: Precision::Check,
        cause: Some(Cause {
            region: region(),
            failure: failure(),
            status_code: None,
            suspect: true,
        }),
    };
    let items = merge_outages(SiteId(1), vec![part]);
    let next = Some(OutageCursor {
        started_at: now(),
        site: SiteId(1),
    });
    check(&Outages { items, next });
}

#[test]
fn of_the_fleet() {
    let told = RegionState {
        region: region(),
        state: SiteState::Stale,
        since: Some(now()),
        scheduled_at: now(),
        outcome: Outcome::Down,
        failure: Some(failure()),
        warnings: vec![Warning::SlowResponse],
        status_code: Some(503),
        total_us: Some(5),
        last_verdict: Some(Outcome::Down),
        last_verdict_at: Some(now()),
        cert_not_after: None,
    };
    let sites = vec![SiteOverview {
        site: SiteId(1),
        name: "a".to_owned(),
        url: "https://a/".to_owned(),
        tags: vec!["x".to_owned()],
        enabled: true,
        interval_ms: 60_000,
        state: SiteState::Stale,
        since: None,
        regions: vec![told],
        outcomes: OutcomeCounts::default(),
        uptime: None,
        coverage: None,
        p50_us: None,
        p95_us: Some(1.5),
    }];
    check(&Overview {
        from: now(),
        to: now() + TimeDelta::hours(1),
        fleet: FleetOverview::of(&sites),
        sites,
    });
}

#[test]
fn of_timelines() {
    let mut timeline = SiteTimeline::of(SiteId(7));
    timeline.push(&OutcomeCounts::default(), None);
    timeline.push(&OutcomeCounts::default(), Some(1_463.4));
    assert_eq!(timeline.p95_us, [None, Some(1_463)]);
    check(&Timelines {
        from: now(),
        to: now() + TimeDelta::minutes(90),
        step_ms: 3_600_000,
        sites: vec![timeline],
    });
}

//! When sites were down, by looking at all checks.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use monitor_core::metric::{Outage, Precision, TimeRange};

use crate::summaries::expected::Check;

type Interval = (DateTime<Utc>, Option<DateTime<Utc>>);

/// What an outage says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    site: i64,
    name: Option<&'static str>,
    interval: Interval,
    by_hour: bool,
    kind: Option<String>,
    regions: Vec<(String, Interval)>,
}

pub(super) fn told(outage: &Outage) -> Told {
    let region = |told: &monitor_core::metric::RegionOutage| {
        let interval = (told.started_at, told.ended_at);
        (told.region.to_string(), interval)
    };
    let name = name(outage.site.0);
    assert_eq!(outage.name.as_deref(), name);
    Told {
        site: outage.site.0,
        name,
        interval: (outage.started_at, outage.ended_at),
        by_hour: outage.precision == Precision::Hour,
        kind: outage
            .cause
            .as_ref()
            .map(|cause| cause.failure.kind.to_string()),
        regions: outage.regions.iter().map(region).collect(),
    }
}

/// The names of [`Fleet`](crate::summaries::Fleet).
fn name(site: i64) -> Option<&'static str> {
    let index = usize::try_from(site - 1).unwrap();
    ["a", "b", "c"].get(index).copied()
}

pub(super) fn overlaps(outage: &Told, range: TimeRange) -> bool {
    let (start, end) = outage.interval;
    start < range.to() && end.is_none_or(|end| end > range.from())
}

/// A time that a region saw a site down, and what its first check said.
#[derive(Clone)]
struct Part {
    region: String,
    interval: Interval,
    by_hour: bool,
    kind: Option<String>,
}

/// All outages, the latest first. Of checks before `final_to` only hours are looked at.
pub(super) fn expected(checks: &[&Check], final_to: Option<DateTime<Utc>>) -> Vec<Told> {
    let mut series: BTreeMap<(i64, String), Vec<&Check>> = BTreeMap::new();
    let verdicts = checks
        .iter()
        .filter(|check| ["up", "degraded", "down"].contains(&&*check.outcome));
    for check in verdicts {
        let key = (check.site_id, check.region.clone());
        series.entry(key).or_default().push(check);
    }
    let mut sites: BTreeMap<i64, Vec<Part>> = BTreeMap::new();
    for ((site, region), checks) in series {
        let parts = parts(&region, &checks, final_to);
        sites.entry(site).or_default().extend(parts);
    }
    let mut outages: Vec<_> = sites
        .into_iter()
        .flat_map(|(site, parts)| outages(site, &parts))
        .collect();
    outages.sort_by_key(|outage| (Reverse(outage.interval.0), outage.site));
    outages
}

/// The verdicts of a series one after the other: when, whether down, of an hour or why.
fn parts(region: &str, checks: &[&Check], final_to: Option<DateTime<Utc>>) -> Vec<Part> {
    let mut hours: BTreeMap<DateTime<Utc>, bool> = BTreeMap::new();
    let mut verdicts: BTreeMap<DateTime<Utc>, (bool, bool, Option<String>)> = BTreeMap::new();
    for check in checks {
        let down = check.outcome == "down";
        if final_to.is_some_and(|final_to| check.scheduled_at < final_to) {
            let hour = check.scheduled_at.duration_trunc(TimeDelta::hours(1));
            *hours.entry(hour.unwrap()).or_default() |= down;
        } else {
            let verdict = (down, false, check.failure_kind.clone());
            verdicts.insert(check.scheduled_at, verdict);
        }
    }
    verdicts.extend(
        hours
            .into_iter()
            .map(|(hour, down)| (hour, (down, true, None))),
    );
    let mut parts: Vec<Part> = Vec::new();
    let mut is_down = false;
    for (at, (down, by_hour, kind)) in verdicts {
        match (is_down, down) {
            (false, true) => parts.push(Part {
                region: region.to_owned(),
                interval: (at, None),
                by_hour,
                kind,
            }),
            (true, false) => parts.last_mut().unwrap().interval.1 = Some(at),
            _ => {}
        }
        is_down = down;
    }
    parts
}

/// What is connected is one.
fn outages(site: i64, parts: &[Part]) -> Vec<Told> {
    let mut left: BTreeSet<usize> = (0..parts.len()).collect();
    let mut outages = Vec::new();
    while let Some(first) = left.pop_first() {
        let mut one = vec![&parts[first]];
        loop {
            let meets = |index: &usize| one.iter().any(|part| meet(part, &parts[*index]));
            let Some(next) = left.iter().copied().find(meets) else {
                break;
            };
            left.remove(&next);
            one.push(&parts[next]);
        }
        outages.push(outage(site, one));
    }
    outages
}

fn meet(one: &Part, other: &Part) -> bool {
    let reaches =
        |one: &Part, other: &Part| one.interval.1.is_none_or(|end| end >= other.interval.0);
    reaches(one, other) && reaches(other, one)
}

fn outage(site: i64, mut parts: Vec<&Part>) -> Told {
    parts.sort_by_key(|part| (part.interval.0, part.by_hour, part.region.clone()));
    let latest = |parts: &[&Part]| {
        let ends: Option<Vec<_>> = parts.iter().map(|part| part.interval.1).collect();
        ends.and_then(|ends| ends.into_iter().max())
    };
    let names: BTreeSet<_> = parts.iter().map(|part| &part.region).collect();
    let region = |name: &String| {
        let own = parts.iter().filter(|part| part.region == *name);
        let own: Vec<_> = own.copied().collect();
        (name.clone(), (own[0].interval.0, latest(&own)))
    };
    Told {
        site,
        name: name(site),
        interval: (parts[0].interval.0, latest(&parts)),
        by_hour: parts.iter().any(|part| part.by_hour),
        kind: parts[0].kind.clone(),
        regions: names.into_iter().map(region).collect(),
    }
}

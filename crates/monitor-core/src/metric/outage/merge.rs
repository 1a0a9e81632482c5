//! From what single regions see to outages of a site.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Cause, Outage, Precision, RegionOutage};
use crate::region::Region;
use crate::site::SiteId;

/// A time during which a region saw a site down: `started_at ≤ t < ended_at`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionalOutage {
    /// Where it was checked from.
    pub region: Region,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it was over; `None` while it lasts.
    pub ended_at: Option<DateTime<Utc>>,
    /// How exactly both are known.
    pub precision: Precision,
    /// What its first check saw; `None` when that check is gone.
    pub cause: Option<Cause>,
}

/// The outages of a site, in order. What overlaps in time, or follows without a gap, is one of them.
#[must_use]
pub fn merge(site: SiteId, mut seen: Vec<RegionalOutage>) -> Vec<Outage> {
    seen.sort_by(|one, other| {
        let order = |outage: &RegionalOutage| (outage.started_at, outage.precision);
        order(one)
            .cmp(&order(other))
            .then_with(|| one.region.cmp(&other.region))
    });
    let mut parts: Vec<Part> = Vec::new();
    for outage in seen {
        match parts.last_mut() {
            Some(part) if part.lasts_until(outage.started_at) => part.push(outage),
            _ => parts.push(Part::from(outage)),
        }
    }
    let parts = parts.into_iter();
    parts.filter_map(|part| one(site, part.outages)).collect()
}

/// What is one outage of the site, as far as it is known.
struct Part {
    ended_at: Option<DateTime<Utc>>,
    outages: Vec<RegionalOutage>,
}

impl From<RegionalOutage> for Part {
    fn from(outage: RegionalOutage) -> Self {
        Self {
            ended_at: outage.ended_at,
            outages: vec![outage],
        }
    }
}

impl Part {
    fn lasts_until(&self, at: DateTime<Utc>) -> bool {
        self.ended_at.is_none_or(|ended_at| ended_at >= at)
    }

    fn push(&mut self, outage: RegionalOutage) {
        self.ended_at = later(self.ended_at, outage.ended_at);
        self.outages.push(outage);
    }
}

/// The outage that these make up together; the first of them comes first.
fn one(site: SiteId, outages: Vec<RegionalOutage>) -> Option<Outage> {
    let first = outages.first()?;
    let started_at = first.started_at;
    let cause = first.cause.clone();
    let precision = outages.iter().map(|outage| outage.precision).max()?;
    let mut regions: BTreeMap<Region, RegionOutage> = BTreeMap::new();
    for outage in outages {
        let region = regions
            .entry(outage.region.clone())
            .or_insert_with(|| RegionOutage {
                region: outage.region,
                started_at: outage.started_at,
                ended_at: outage.ended_at,
            });
        region.ended_at = later(region.ended_at, outage.ended_at);
    }
    let ends = regions.values().map(|region| region.ended_at);
    Some(Outage {
        site,
        name: None,
        started_at,
        ended_at: ends.reduce(later)?,
        precision,
        cause,
        regions: regions.into_values().collect(),
    })
}

/// The later of two ends; never is the latest.
fn later(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    Some(one?.max(other?))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;
    use crate::failure::{Failure, FailureKind};

    /// Longest of the times that are tried, in minutes.
    const END: i64 = 60;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    fn region(index: usize) -> Region {
        ["ap", "eu", "us"][index].parse().unwrap()
    }

    /// What a region sees: verdicts by the minute, and from them its outages.
    fn seen(region: &Region, downs: &[bool]) -> Vec<RegionalOutage> {
        let mut outages: Vec<RegionalOutage> = Vec::new();
        let mut before = false;
        for (minute, down) in (0..).zip(downs) {
            match (before, down) {
                (false, true) => outages.push(RegionalOutage {
                    region: region.clone(),
                    started_at: at(minute),
                    ended_at: None,
                    precision: Precision::Check,
                    cause: Some(Cause {
                        region: region.clone(),
                        failure: Failure::new(FailureKind::TlsHandshake, None, &minute.to_string()),
                        status_code: None,
                        suspect: false,
                    }),
                }),
                (true, false) => outages.last_mut().unwrap().ended_at = Some(at(minute)),
                _ => {}
            }
            before = *down;
        }
        outages
    }

    /// Looks at each minute: begin and end of each time during which any region was down.
    fn naive(regions: &[Vec<bool>]) -> Vec<(i64, Option<i64>)> {
        let any = |minute: &i64| {
            let minute = usize::try_from(*minute).unwrap();
            regions.iter().any(|downs| downs[minute])
        };
        let mut outages: Vec<(i64, Option<i64>)> = Vec::new();
        for minute in 0..END {
            let lasts = outages.last().is_some_and(|(_, end)| end.is_none());
            match (lasts, any(&minute)) {
                (false, true) => outages.push((minute, None)),
                (true, false) => outages.last_mut().unwrap().1 = Some(minute),
                _ => {}
            }
        }
        outages
    }

    proptest! {
        #[test]
        fn a_site_is_down_as_long_as_any_region_sees_it_so(
            regions in prop::collection::vec(
                prop::collection::vec(prop::bool::weighted(0.15), usize::try_from(END).unwrap()),
                1..=3,
            ),
            shuffled in any::<prop::sample::Index>(),
        ) {
            let named = regions.iter().enumerate();
            let mut parts: Vec<_> = named
                .flat_map(|(index, downs)| seen(&region(index), downs))
                .collect();
            let expected_parts = parts.clone();
            if !parts.is_empty() {
                let middle = shuffled.index(parts.len());
                parts.rotate_left(middle);
            }
            let merged = merge(SiteId(7), parts);
            let minutes = |instant: DateTime<Utc>| instant.timestamp() / 60;
            let said: Vec<_> = merged
                .iter()
                .map(|outage| (minutes(outage.started_at), outage.ended_at.map(minutes)))
                .collect();
            prop_assert_eq!(said, naive(&regions));
            for outage in &merged {
                let is_inside = |part: &&RegionalOutage| {
                    part.started_at >= outage.started_at
                        && outage.ended_at.is_none_or(|end| part.started_at < end)
                };
                let inside: Vec<_> = expected_parts.iter().filter(is_inside).collect();
                let first = inside.iter().min_by_key(|part| (part.started_at, &part.region));
                prop_assert_eq!(&outage.cause, &first.unwrap().cause);
                for told in &outage.regions {
                    let of_region = inside.iter().filter(|part| part.region == told.region);
                    let begin = of_region.clone().map(|part| part.started_at).min();
                    prop_assert_eq!(Some(told.started_at), begin);
                    let end = of_region.max_by_key(|part| part.started_at).unwrap().ended_at;
                    prop_assert_eq!(told.ended_at, end);
                }
                let names: std::collections::BTreeSet<_> =
                    inside.iter().map(|part| &part.region).collect();
                prop_assert_eq!(names.len(), outage.regions.len());
            }
        }
    }

    #[test]
    fn what_is_known_by_the_hour_is_never_told_to_be_exact() {
        let part = |name: &str, precision, from, to| RegionalOutage {
            region: name.parse().unwrap(),
            started_at: at(from),
            ended_at: Some(at(to)),
            precision,
            cause: None,
        };
        let precisions = |parts: Vec<RegionalOutage>| {
            let merged = merge(SiteId(1), parts).into_iter();
            merged.map(|outage| outage.precision).collect::<Vec<_>>()
        };
        let hour = part("eu", Precision::Hour, 0, 60);
        let joined = part("us", Precision::Check, 60, 61);
        let apart = part("us", Precision::Check, 62, 63);
        assert_eq!(
            precisions(vec![apart, joined, hour]),
            [Precision::Hour, Precision::Check]
        );
    }
}

//! When sites were down.
//!
//! The latest come first, and only so many are asked for: so time is searched backwards, a longer part
//! of it each time, for what begins there. Of each site that is found, what its other regions see is
//! read as far as it belongs to the same outage.

mod read;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::metric::{
    Outage, OutageRequest, Outages, RegionalOutage, Subject, TimeRange, merge_outages,
};
use monitor_core::{Region, SiteId};
use sqlx::PgConnection;

use self::read::Spans;
use super::{MetricDataProvider, scope, snapshot};
use crate::error::StoreError;
use crate::rollups::{Keys, Series, progress};

/// What is searched first, when many series are asked about: a page is mostly of the latest hours.
const FIRST_PART: TimeDelta = TimeDelta::hours(1);
/// How much longer each part is than the one before.
const GROWTH: i32 = 4;
/// From so many series on, parts are searched; of fewer, all at once.
const MANY: usize = 32;
/// The database's idea of the next instant.
const INSTANT: TimeDelta = TimeDelta::microseconds(1);
/// The last second of the year 9999: no check is later.
const NEVER: DateTime<Utc> = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(never) => never,
    None => DateTime::UNIX_EPOCH,
};

/// What the regions of each site see.
type Seen = BTreeMap<i64, Vec<RegionalOutage>>;

impl MetricDataProvider {
    /// The outages of the subject's sites that overlap the range, the latest first.
    ///
    /// What an outage says is the whole of it, also what is outside of the range. Where checks were
    /// dropped, outages are known by the hour, and say so. A site that is checked no more, or not
    /// from a region any more, was not found available again there: its last outage may have no end.
    pub async fn outages(
        &self,
        subject: &Subject,
        range: TimeRange,
        request: &OutageRequest,
    ) -> Result<Outages, StoreError> {
        let mut transaction = snapshot::begin(&self.pool).await?;
        let mut search = Search::new(&mut transaction, subject).await?;
        let found = search.latest(range, request).await?;
        let mut outages = Outages::page(request, found);
        read::names(&mut transaction, &mut outages.items).await?;
        snapshot::end(transaction);
        Ok(outages)
    }
}

/// A search for outages.
struct Search<'c> {
    connection: &'c mut PgConnection,
    regions: BTreeMap<i16, Region>,
    series: BTreeMap<i64, Vec<Series>>,
    /// Of what is earlier, only hours are known.
    final_to: DateTime<Utc>,
    is_of_many: bool,
}

impl<'c> Search<'c> {
    async fn new(
        connection: &'c mut PgConnection,
        subject: &Subject,
    ) -> Result<Search<'c>, StoreError> {
        let final_to = progress(connection).await?.final_to().unwrap_or_default();
        let regions = read::regions(connection).await?;
        let keys: Keys = scope::series(connection, subject).await?;
        let is_of_many = keys.len() >= MANY;
        if is_of_many {
            snapshot::read_many(connection).await?;
        }
        let mut series: BTreeMap<i64, Vec<Series>> = BTreeMap::new();
        for one in keys.iter() {
            series.entry(one.site_id).or_default().push(one);
        }
        Ok(Search {
            connection,
            regions,
            series,
            final_to,
            is_of_many,
        })
    }

    /// Those that overlap the range and come after the cursor: all, or more than are asked for.
    async fn latest(
        &mut self,
        range: TimeRange,
        request: &OutageRequest,
    ) -> Result<Vec<Outage>, StoreError> {
        let is_asked_for = |outage: &Outage| {
            let cursor = request.after;
            cursor.is_none_or(|cursor| cursor.is_before(outage))
        };
        let limit = usize::try_from(request.limit()).unwrap_or(usize::MAX);
        let cursor = request.after.map(|cursor| cursor.started_at + INSTANT);
        let mut to = cursor.map_or(range.to(), |end| end.min(range.to()));
        let mut part = if self.is_of_many {
            FIRST_PART
        } else {
            range.to() - range.from()
        };
        let mut found = Vec::new();
        while to > range.from() && found.len() <= limit {
            let from = range.from().max(to - part);
            let beginning = self.beginning_in(from, to).await?.into_iter();
            found.extend(beginning.filter(is_asked_for));
            part = part * GROWTH;
            to = from;
        }
        if found.len() <= limit {
            found.extend(self.lasting_at(range.from()).await?);
        }
        Ok(found)
    }

    /// The outages of sites that begin in `from ≤ t < to`.
    async fn beginning_in(
        &mut self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<Outage>, StoreError> {
        let everywhere = self.series.keys().map(|site| (*site, from, to)).collect();
        let mut seen = self.begun(everywhere).await?;
        // Where a region has seen the site down before, it begins with that.
        let sites = seen.keys().map(|site| (*site, from)).collect();
        add(&mut seen, self.lasting(sites).await?);
        let read_to = seen.keys().map(|site| (*site, to)).collect();
        let begins_here = |outage: &Outage| outage.started_at >= from;
        self.complete(seen, read_to, begins_here).await
    }

    /// The outages of sites that have begun before `at`, and last.
    async fn lasting_at(&mut self, at: DateTime<Utc>) -> Result<Vec<Outage>, StoreError> {
        let everywhere = self.series.keys().map(|site| (*site, at)).collect();
        let mut seen = self.lasting(everywhere).await?;
        let mut begins: BTreeMap<i64, DateTime<Utc>> = BTreeMap::new();
        let mut earlier = seen.clone();
        while !earlier.is_empty() {
            // Just before an outage begins in one region, it may last in another.
            let mut moved = Vec::new();
            for (site, outages) in &earlier {
                let begin = outages.iter().map(|outage| outage.started_at).min();
                moved.extend(begin.map(|begin| (*site, begin)));
            }
            begins.extend(moved.iter().copied());
            earlier = self.lasting(moved).await?;
            add(&mut seen, earlier.clone());
        }
        let has_begun = |outage: &Outage| outage.started_at < at;
        let mut outages = self.complete(seen, begins, has_begun).await?;
        // Only now it is known what has gone on in another region.
        outages.retain(|outage| outage.ended_at.is_none_or(|ended_at| ended_at > at));
        Ok(outages)
    }

    /// The outages that are to be kept of those that are made up by what is seen. Up to when that is
    /// all of a site is in `read_to`; outages that last longer are followed to their end.
    async fn complete(
        &mut self,
        mut seen: Seen,
        mut read_to: BTreeMap<i64, DateTime<Utc>>,
        keep: impl Fn(&Outage) -> bool,
    ) -> Result<Vec<Outage>, StoreError> {
        let mut complete = Vec::new();
        while !seen.is_empty() {
            let (mut open, mut spans) = (Seen::new(), Vec::new());
            for (site, parts) in seen {
                let mut outages = merge_outages(SiteId(site), parts.clone());
                outages.retain(&keep);
                let ends = outages.iter();
                let end = ends.map(|outage| outage.ended_at.unwrap_or(NEVER)).max();
                let read_to = read_to.entry(site).or_insert(NEVER);
                if let Some(end) = end.filter(|end| end >= read_to) {
                    spans.push((site, *read_to, end + INSTANT));
                    *read_to = end + INSTANT;
                    open.insert(site, parts);
                } else {
                    complete.extend(outages);
                }
            }
            add(&mut open, self.begun(spans).await?);
            seen = open;
        }
        Ok(complete)
    }

    /// What the regions of these sites see that begins in their time.
    async fn begun(
        &mut self,
        sites: Vec<(i64, DateTime<Utc>, DateTime<Utc>)>,
    ) -> Result<Seen, StoreError> {
        let mut spans = Spans::default();
        for (site, from, to) in sites {
            for series in self.series.get(&site).into_iter().flatten() {
                spans.push(*series, from, to);
            }
        }
        let mut found = spans.begun(self.connection, self.final_to).await?;
        found.extend(spans.begun_hours(self.connection, self.final_to).await?);
        self.by_site(found)
    }

    /// What the regions of these sites see that has begun before the instant, and was not over just
    /// before it.
    async fn lasting(&mut self, sites: Vec<(i64, DateTime<Utc>)>) -> Result<Seen, StoreError> {
        let mut spans = Spans::default();
        for (site, at) in sites {
            for series in self.series.get(&site).into_iter().flatten() {
                spans.push(*series, at, at);
            }
        }
        let found = spans.lasting(self.connection, self.final_to).await?;
        self.by_site(found)
    }

    fn by_site(&self, found: Vec<read::Found>) -> Result<Seen, StoreError> {
        let mut seen = Seen::new();
        for found in found {
            let site = found.site_id;
            let outage = found.into_outage(&self.regions)?;
            seen.entry(site).or_default().push(outage);
        }
        Ok(seen)
    }
}

fn add(seen: &mut Seen, more: Seen) {
    for (site, outages) in more {
        seen.entry(site).or_default().extend(outages);
    }
}

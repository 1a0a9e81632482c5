//! What the checks of one site came to, asked in one question.
//!
//! What closed hours and days came to is kept. The checks of the open ends are read by a question that
//! also asks whether rollups have changed since, and whether hours of the site wait to be computed again:
//! then all is read anew.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use moka::sync::Cache;
use monitor_core::metric::{Buckets, Summary, TimeRange};
use monitor_core::{Region, SiteId};
use sqlx::PgPool;

use super::merge::summary;
use super::plan::{Moments, Source, Span, divisible, plan};
use super::read::{Sums, Work};
use super::scope::{self, RolledUp};
use super::{MetricDataProvider, snapshot};
use crate::error::StoreError;
use crate::rollups::{Checks, CompactRollup, Rollup, checks};

/// Room for what is kept: some ten thousand answers.
const MOST_BYTES: u64 = 16 << 20;

/// What closed hours and days of sites came to.
#[derive(Clone, Debug)]
pub(super) struct KeptSites {
    /// How far the rollups were when they were asked about last.
    rolled_up: Arc<Mutex<Option<RolledUp>>>,
    closed: Cache<Key, Arc<CompactRollup>>,
}

/// Whose, of when, and of which revision of the rollups.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    site: SiteId,
    region: Option<Region>,
    closed: Moments,
    revision: i64,
}

impl Default for KeptSites {
    fn default() -> Self {
        let size = |key: &Key, closed: &Arc<CompactRollup>| {
            let size = size_of_val(key) + closed.size();
            u32::try_from(size).unwrap_or(u32::MAX)
        };
        Self {
            rolled_up: Arc::default(),
            closed: Cache::builder()
                .max_capacity(MOST_BYTES)
                .weigher(size)
                .build(),
        }
    }
}

impl KeptSites {
    fn rolled_up(&self) -> Option<RolledUp> {
        *self
            .rolled_up
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, rolled_up: RolledUp) {
        *self
            .rolled_up
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(rolled_up);
    }
}

/// Where the parts of an answer are.
struct Layout {
    borders: Vec<DateTime<Utc>>,
    spans: Vec<Span>,
}

impl Layout {
    fn of(range: TimeRange, rolled_up: &RolledUp) -> Self {
        let progress = &rolled_up.progress;
        let borders = divisible(&[range.from(), range.to()], progress.final_to());
        let spans = plan(&borders, progress);
        Self { borders, spans }
    }

    /// What is read from rollups: nothing or one stretch, which begins and ends with an hour.
    fn closed(&self) -> Option<Moments> {
        let mut closed = self
            .spans
            .iter()
            .filter(|span| span.source != Source::Checks);
        let first = closed.next()?;
        Some((first.from, closed.next_back().unwrap_or(first).to))
    }

    /// What is read check by check: before it, and after it.
    fn ends(&self) -> [Moments; 2] {
        let ends = self
            .spans
            .iter()
            .filter(|span| span.source == Source::Checks);
        let mut ends = ends.map(|span| (span.from, span.to));
        [(); 2].map(|()| ends.next().unwrap_or_default())
    }

    fn summary(&self, rollup: &Rollup) -> Summary {
        let border = |border: Option<&DateTime<Utc>>| border.copied().unwrap_or_default();
        let (from, to) = (border(self.borders.first()), border(self.borders.last()));
        summary(from, to, rollup)
    }
}

impl MetricDataProvider {
    pub(super) async fn summary_of_site(
        &self,
        site: SiteId,
        region: Option<&Region>,
        range: TimeRange,
    ) -> Result<Summary, StoreError> {
        if let Some(summary) = self.summary_from_kept(site, region, range).await? {
            return Ok(summary);
        }
        let mut transaction = snapshot::begin(&self.pool).await?;
        let scope = scope::of_site(&mut transaction, site, region, &Buckets::one(range)).await?;
        let layout = Layout::of(range, &scope.rolled_up);
        let work = Work::of(&scope.keys, &layout.spans, &scope.marks);
        let mut sums = Sums::of(&layout.borders);
        work.read_rollups(&mut transaction, &mut sums).await?;
        self.sites.note(scope.rolled_up);
        if let (Some(closed), true) = (layout.closed(), scope.marks.is_empty()) {
            let key = key(site, region, closed, &scope.rolled_up);
            let closed = sums.rollups.first().map(CompactRollup::from);
            self.sites
                .closed
                .insert(key, Arc::new(closed.unwrap_or_default()));
        }
        work.read_checks(&mut transaction, &mut sums).await?;
        snapshot::end(transaction);
        let rollup = sums.rollups.pop().unwrap_or_default();
        Ok(layout.summary(&rollup))
    }

    /// The answer, when what is kept is still right.
    async fn summary_from_kept(
        &self,
        site: SiteId,
        region: Option<&Region>,
        range: TimeRange,
    ) -> Result<Option<Summary>, StoreError> {
        let Some(rolled_up) = self.sites.rolled_up() else {
            return Ok(None);
        };
        let layout = Layout::of(range, &rolled_up);
        let closed = layout.closed();
        let mut rollup = Rollup::default();
        if let Some(closed) = closed {
            match self
                .sites
                .closed
                .get(&key(site, region, closed, &rolled_up))
            {
                Some(kept) => kept.add_to(&mut rollup)?,
                None => return Ok(None),
            }
        }
        let closed = closed.unwrap_or_default();
        let ends = ends(&self.pool, site, region, closed, layout.ends()).await?;
        if ends.key != [rolled_up.revision, 0] {
            return Ok(None);
        }
        ends.add_to(&mut rollup)?;
        Ok(Some(layout.summary(&rollup)))
    }
}

fn key(site: SiteId, region: Option<&Region>, closed: Moments, rolled_up: &RolledUp) -> Key {
    Key {
        site,
        region: region.cloned(),
        closed,
        revision: rolled_up.revision,
    }
}

/// The checks of both ends, and as their key the revision of the rollups, and how many of the closed
/// hours wait to be computed again. All of one statement is of one moment; checks that are dropped
/// meanwhile are dropped after it, or with another revision.
async fn ends(
    pool: &PgPool,
    site: SiteId,
    region: Option<&Region>,
    closed: Moments,
    [before, after]: [Moments; 2],
) -> Result<Checks, StoreError> {
    checks!(
        "metrics.ends_of_site",
        all
        "(SELECT revision FROM rollup_progress), (
            SELECT count(*) FROM dirty_hours
            WHERE site_id = $1 AND hour >= $3 AND hour < $4
        )",
        "FROM (
            SELECT site_id, region_id FROM site_state
            WHERE site_id = $1
                AND ($2::TEXT IS NULL OR region_id = (SELECT id FROM regions WHERE name = $2))
        ) AS key
        CROSS JOIN LATERAL (
            SELECT
                outcome, failure_kind, status_code, content, suspect,
                dns_us, connect_us, tls_us, first_byte_us, transfer_us, total_us
            FROM check_results
            WHERE site_id = key.site_id AND region_id = key.region_id
                AND scheduled_at >= $5 AND scheduled_at < $6
            UNION ALL
            SELECT
                outcome, failure_kind, status_code, content, suspect,
                dns_us, connect_us, tls_us, first_byte_us, transfer_us, total_us
            FROM check_results
            WHERE site_id = key.site_id AND region_id = key.region_id
                AND scheduled_at >= $7 AND scheduled_at < $8
        ) AS result",
        site.0,
        region.map(Region::as_str),
        closed.0,
        closed.1,
        before.0,
        before.1,
        after.0,
        after.1,
    )
    .fetch_one(pool)
    .await
    .map_err(StoreError::doing("cannot read checks"))
}

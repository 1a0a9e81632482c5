//! What closed hours and days came to, site by site, kept for the next answers.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use monitor_core::metric::OutcomeCounts;
use sqlx::PgConnection;

use super::figures::Figures;
use super::fleet::{KeptFleet, MonitoredSite};
use super::marked::Corrections;
use super::open::Counted;
use super::sum::{Packed, Sum};
use crate::error::StoreError;
use crate::metrics::merge::counted;
use crate::metrics::plan::{Source, Span};
use crate::metrics::snapshot;

/// Most windows that are kept: some 300 bytes a site for each.
const MOST_KEPT: usize = 4;
/// Most sites that are added up at once: each is some 4 KB large until it is complete.
const AT_ONCE: usize = 1_000;

/// What was read for earlier answers, the latest last.
#[derive(Debug, Default)]
pub(super) struct KeptClosed(Vec<Closed>);

/// What these spans came to when the rollups had this revision.
#[derive(Debug)]
pub(super) struct Closed {
    spans: Vec<Span>,
    revision: i64,
    sites: HashMap<i64, ClosedSite>,
}

/// Of one site.
#[derive(Debug, Default)]
struct ClosedSite {
    sum: Packed,
    /// What that and the checks that are not closed came to, when these had been counted so.
    told: Option<(u64, Figures)>,
}

/// A row of `rollup_hours` or `rollup_days`, as far as an overview is concerned.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) site_id: i64,
    pub(super) up: i32,
    pub(super) degraded: i32,
    pub(super) down: i32,
    pub(super) missed: i32,
    pub(super) error: i32,
    pub(super) total_histogram: Vec<u8>,
}

impl KeptClosed {
    /// What these spans came to: as it was read before, unless the rollups have another revision. All is
    /// of the moment that the connection sees.
    pub(super) async fn of(
        &mut self,
        connection: &mut PgConnection,
        spans: Vec<Span>,
        revision: i64,
        fleet: &KeptFleet,
    ) -> Result<&mut Closed, StoreError> {
        self.0.retain(|kept| kept.revision == revision);
        let known = self.0.iter().position(|kept| kept.spans == spans);
        let closed = if let Some(known) = known {
            self.0.remove(known)
        } else {
            snapshot::read_many(connection).await?;
            Closed {
                sites: read(connection, &spans, fleet).await?,
                spans,
                revision,
            }
        };
        if self.0.len() == MOST_KEPT {
            self.0.remove(0);
        }
        Ok(self.0.push_mut(closed))
    }
}

impl Closed {
    /// Whether an hour is part of it.
    pub(super) fn has(&self, hour: DateTime<Utc>) -> bool {
        let mut spans = self.spans.iter();
        spans.any(|span| (span.from..span.to).contains(&hour))
    }

    /// What it came to for a site, with what was counted besides.
    pub(super) fn figures(
        &mut self,
        site: i64,
        counted: Option<&Counted>,
        corrections: &Corrections,
    ) -> Result<Figures, StoreError> {
        let closed = self.sites.entry(site).or_default();
        let serial = counted.map_or(0, |counted| counted.serial);
        let corrected = corrections.are_of(site);
        if let Some((of, figures)) = closed.told
            && of == serial
            && !corrected
        {
            return Ok(figures);
        }
        let mut sum = Sum::default();
        closed.sum.add_to(&mut sum)?;
        counted.map_or(Ok(()), |counted| counted.sum.add_to(&mut sum))?;
        corrections.apply_to(&mut sum, site)?;
        let figures = Figures::from(&sum);
        closed.told = (!corrected).then_some((serial, figures));
        Ok(figures)
    }
}

impl Part {
    fn outcomes(&self) -> OutcomeCounts {
        counted([self.up, self.degraded, self.down, self.missed, self.error])
    }

    fn add_to(&self, sum: &mut Sum) -> Result<(), StoreError> {
        sum.outcomes += self.outcomes();
        sum.merge(&self.total_histogram)
    }

    pub(super) fn remove_from(&self, sum: &mut Sum) -> Result<(), StoreError> {
        let counted = self.outcomes();
        let outcomes = &mut sum.outcomes;
        outcomes.up = outcomes.up.saturating_sub(counted.up);
        outcomes.degraded = outcomes.degraded.saturating_sub(counted.degraded);
        outcomes.down = outcomes.down.saturating_sub(counted.down);
        outcomes.missed = outcomes.missed.saturating_sub(counted.missed);
        outcomes.error = outcomes.error.saturating_sub(counted.error);
        let mut removed = Sum::default();
        removed.merge(&self.total_histogram)?;
        sum.total.remove(&removed.total);
        Ok(())
    }
}

/// What the spans came to for each of the monitored sites that had checks.
async fn read(
    connection: &mut PgConnection,
    spans: &[Span],
    fleet: &KeptFleet,
) -> Result<HashMap<i64, ClosedSite>, StoreError> {
    let mut ids: Vec<_> = fleet.sites().map(MonitoredSite::id).collect();
    ids.sort_unstable();
    let mut sites = HashMap::with_capacity(ids.len());
    for ids in ids.chunks(AT_ONCE) {
        let mut sums: HashMap<i64, Sum> = HashMap::new();
        for span in spans {
            let mut parts = parts(connection, span, ids);
            while let Some(part) = parts
                .try_next()
                .await
                .map_err(StoreError::doing("cannot read rollups"))?
            {
                part.add_to(sums.entry(part.site_id).or_default())?;
            }
        }
        let closed = |sum: Sum| ClosedSite {
            sum: sum.pack(),
            told: None,
        };
        sites.extend(sums.into_iter().map(|(site, sum)| (site, closed(sum))));
    }
    Ok(sites)
}

/// The rows of a span, of these sites: all from the first to the last, which are in order.
fn parts<'c>(
    connection: &'c mut PgConnection,
    span: &Span,
    ids: &[i64],
) -> BoxStream<'c, Result<Part, sqlx::Error>> {
    let (first, last) = (ids.first(), ids.last());
    if span.source == Source::Days {
        let query = sqlx::query_as!(
            Part,
            r#"-- overview.days
            SELECT site_id, up, degraded, down, missed, error, total_histogram
            FROM rollup_days
            WHERE day >= $1 AND day < $2 AND site_id BETWEEN $3 AND $4"#,
            span.from.date_naive(),
            span.to.date_naive(),
            first,
            last,
        );
        return query.fetch(connection);
    }
    let query = sqlx::query_as!(
        Part,
        r#"-- overview.hours
        SELECT site_id, up, degraded, down, missed, error, total_histogram
        FROM rollup_hours
        WHERE hour >= $1 AND hour < $2 AND site_id BETWEEN $3 AND $4"#,
        span.from,
        span.to,
        first,
        last,
    );
    query.fetch(connection)
}

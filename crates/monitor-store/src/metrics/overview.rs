//! How all sites are, at a glance.
//!
//! What is read for one answer is kept for the next: of closed hours and days for as long as no rollup
//! has changed, of the running hour for as long as no check of a site was stored.

mod closed;
mod marked;
mod open;
mod states;
mod sum;

use chrono::{DateTime, Utc};
use monitor_core::metric::{Buckets, FleetOverview, Overview, OverviewWindow};

use self::closed::KeptClosed;
use self::marked::{Corrections, Marked};
use self::open::KeptOpen;
use self::sum::Sum;
use super::plan::{Source, divisible, plan};
use super::{MetricDataProvider, scope, snapshot};
use crate::error::StoreError;

/// What was read for earlier answers.
#[derive(Debug, Default)]
pub(super) struct Kept {
    closed: KeptClosed,
    open: KeptOpen,
}

impl MetricDataProvider {
    /// How the monitored sites are at `now`, and what their checks came to in the hours before.
    ///
    /// The window begins with an hour. Where `now` is long ago and checks of its hour were dropped, it
    /// ends with that hour; `from` and `to` say what the answer is about.
    pub async fn overview(
        &self,
        window: OverviewWindow,
        now: DateTime<Utc>,
    ) -> Result<Overview, StoreError> {
        let problem = |error| StoreError::Value(format!("in a window up to {now}: {error}"));
        let range = window.up_to(now).map_err(problem)?;
        // Before a connection, so that those who wait for what one of them reads hold none; and what is
        // kept is never of a later moment than the answer.
        let mut kept = self.kept.lock().await;
        let mut transaction = snapshot::begin(&self.pool).await?;
        snapshot::read_many(&mut transaction).await?;
        let monitored = states::sites(&mut transaction).await?;
        let mut states = states::states(&mut transaction, now).await?;
        let buckets = Buckets::one(range);
        let (progress, marks) = scope::progress(&mut transaction, &buckets, None).await?;
        let borders = divisible(&[range.from(), range.to()], progress.final_to());
        let spans = plan(&borders, &progress).into_iter();
        let (open, spans): (Vec<_>, _) = spans.partition(|span| span.source == Source::Checks);
        let closed = kept.closed.of(&mut transaction, spans, &monitored).await?;
        let marked = Marked::of(&marks, |hour| closed.has(hour));
        let corrections = Corrections::read(&mut transaction, &marked).await?;
        // The window begins with an hour, so this is its end.
        match open.last() {
            Some(span) => {
                let versions = &mut states.versions;
                kept.open.read(&mut transaction, span, versions).await?;
            }
            None => kept.open.clear(),
        }
        snapshot::end(transaction);
        let mut sites = Vec::with_capacity(monitored.len());
        for site in monitored {
            let mut sum = Sum::default();
            for part in [closed.of(site.id), kept.open.of(site.id)] {
                part.map_or(Ok(()), |part| part.add_to(&mut sum))?;
            }
            corrections.apply_to(&mut sum, site.id)?;
            let regions = states.told.remove(&site.id).unwrap_or_default();
            sites.push(site.into_overview(regions, &sum));
        }
        Ok(Overview {
            from: borders.first().copied().unwrap_or(range.from()),
            to: borders.last().copied().unwrap_or(range.to()),
            fleet: FleetOverview::of(&sites),
            sites,
        })
    }
}

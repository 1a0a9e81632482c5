//! How all sites are, at a glance.
//!
//! What is read for one answer is kept for the next: sites and their states until they are written anew, what
//! closed hours and days came to for as long as no rollup has changed, and the running hour of a site for as
//! long as no check of it was stored.

mod closed;
mod figures;
mod fleet;
mod marked;
mod open;
mod sum;

use std::mem;

use chrono::{DateTime, Utc};
use monitor_core::metric::{Buckets, FleetOverview, Overview, OverviewWindow};

use self::closed::KeptClosed;
use self::fleet::KeptFleet;
use self::marked::{Corrections, Marked};
use self::open::KeptOpen;
use super::plan::{Source, divisible, plan};
use super::{MetricDataProvider, scope, snapshot};
use crate::error::StoreError;

/// What was read for earlier answers.
#[derive(Debug, Default)]
pub(super) struct Kept {
    fleet: KeptFleet,
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
        let mut last = self.kept.lock().await;
        // Nothing is left of it when the answer is not completed: its parts would be of different moments.
        let mut kept = mem::take(&mut *last);
        let Kept {
            fleet,
            closed,
            open,
        } = &mut kept;
        let mut transaction = snapshot::begin(&self.pool).await?;
        fleet.refresh(&mut transaction).await?;
        let buckets = Buckets::one(range);
        let (rolled_up, marks) = scope::rolled_up(&mut transaction, &buckets, None).await?;
        let progress = &rolled_up.progress;
        let borders = divisible(&[range.from(), range.to()], progress.final_to());
        let spans = plan(&borders, progress).into_iter();
        let (in_checks, spans): (Vec<_>, _) = spans.partition(|span| span.source == Source::Checks);
        let revision = rolled_up.revision;
        let closed = closed.of(&mut transaction, spans, revision, fleet).await?;
        let marked = Marked::of(&marks, |hour| closed.has(hour));
        let corrections = Corrections::read(&mut transaction, &marked).await?;
        // The window begins with an hour, so this is its end.
        match in_checks.last() {
            Some(span) => open.refresh(&mut transaction, span, fleet).await?,
            None => open.clear(),
        }
        snapshot::end(transaction);
        let mut sites = Vec::with_capacity(fleet.len());
        for site in fleet.sites() {
            let counted = open.of(site.id());
            let figures = closed.figures(site.id(), counted, &corrections)?;
            sites.push(fleet.tell(site, &figures, now));
        }
        *last = kept;
        Ok(Overview {
            from: borders.first().copied().unwrap_or(range.from()),
            to: borders.last().copied().unwrap_or(range.to()),
            fleet: FleetOverview::of(&sites),
            sites,
        })
    }
}

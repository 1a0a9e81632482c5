//! How all sites are, at a glance.
//!
//! What closed hours and days came to is kept from one answer to the next, for as long as no rollup has
//! changed; only the running hour is read check by check each time, and what is marked.

mod closed;
mod open;
mod states;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use monitor_core::Histogram;
use monitor_core::metric::{
    Buckets, FleetOverview, OutcomeCounts, Overview, OverviewWindow, Sites, Subject,
};
use sqlx::PgConnection;

pub(super) use self::closed::Kept;
use self::closed::{Closed, Part};
use self::open::{Marked, Tally};
use super::plan::{Source, Span, divisible, plan};
use super::{MetricDataProvider, scope, snapshot};
use crate::error::StoreError;

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
        // Before a connection, so that those who wait for what one of them reads hold none.
        let mut kept = self.kept.lock().await;
        let mut transaction = snapshot::begin(&self.pool).await?;
        snapshot::read_many(&mut transaction).await?;
        let monitored = states::sites(&mut transaction).await?;
        let (progress, marks) = scope::progress(
            &mut transaction,
            &Subject::of(Sites::All),
            &Buckets::one(range),
        )
        .await?;
        let borders = divisible(&[range.from(), range.to()], progress.final_to());
        let (spans, open): (Vec<_>, Vec<_>) = plan(&borders, &progress)
            .into_iter()
            .partition(|span| span.source != Source::Checks);
        let closed = kept.closed(&mut transaction, spans, &monitored).await?;
        drop(kept);

        let mut changes = Changes::default();
        changes.read_open(&mut transaction, &open).await?;
        let marked = Marked::of(&marks, |hour| closed.has(hour));
        changes.read_marked(&mut transaction, &marked).await?;
        let mut states = states::states(&mut transaction, now, &monitored).await?;
        snapshot::end(transaction).await?;
        let mut sites = Vec::with_capacity(monitored.len());
        for site in monitored {
            let regions = states.remove(&site.id).unwrap_or_default();
            let sum = changes.applied_to(&closed, site.id)?;
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

/// What the checks of a site came to.
#[derive(Clone, Debug, Default)]
struct Sum {
    outcomes: OutcomeCounts,
    /// How long available checks took.
    total: Histogram,
}

/// What is to be changed about what is closed, by site.
#[derive(Debug, Default)]
struct Changes {
    added: HashMap<i64, Vec<Tally>>,
    removed: HashMap<i64, Vec<Part>>,
}

impl Changes {
    /// Hours that are not closed.
    async fn read_open(
        &mut self,
        connection: &mut PgConnection,
        spans: &[Span],
    ) -> Result<(), StoreError> {
        for span in spans {
            self.add(open::tallies(connection, span).await?);
        }
        Ok(())
    }

    /// Hours of which late checks are stored, and not rolled up yet.
    async fn read_marked(
        &mut self,
        connection: &mut PgConnection,
        marked: &Marked,
    ) -> Result<(), StoreError> {
        if marked.hours.is_empty() {
            return Ok(());
        }
        for part in closed::marked(connection, marked).await? {
            self.removed.entry(part.site_id).or_default().push(part);
        }
        self.add(open::marked(connection, marked).await?);
        Ok(())
    }

    fn add(&mut self, tallies: Vec<Tally>) {
        for tally in tallies {
            self.added.entry(tally.site_id).or_default().push(tally);
        }
    }

    fn applied_to(&self, closed: &Closed, site: i64) -> Result<Sum, StoreError> {
        let mut sum = closed.of(site)?;
        for part in self.removed.get(&site).into_iter().flatten() {
            part.remove_from(&mut sum)?;
        }
        for tally in self.added.get(&site).into_iter().flatten() {
            tally.add_to(&mut sum);
        }
        Ok(sum)
    }
}

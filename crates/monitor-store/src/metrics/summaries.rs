//! What many checks came to.

use chrono::{DateTime, Utc};
use monitor_core::metric::{Buckets, Sites, Subject, Summary, TimeRange};
use sqlx::PgConnection;

use super::MetricDataProvider;
use super::merge::summary;
use super::plan::{divisible, plan};
use super::read::Work;
use super::scope::Scope;
use super::snapshot;
use crate::error::StoreError;
use crate::rollups::Rollup;

/// Most buckets that are put together at once: each is some 20 KB large until it is complete.
const AT_ONCE: usize = 250;

impl MetricDataProvider {
    /// What the checks of the subject came to over the range.
    ///
    /// Of days whose checks were dropped, hours cannot be divided: where such a range begins or ends
    /// inside of an hour, the answer is about the whole hour, and says so in `from` and `to`.
    /// A site, tag or region that nothing is known of has no checks.
    pub async fn summary(
        &self,
        subject: &Subject,
        range: TimeRange,
    ) -> Result<Summary, StoreError> {
        let buckets = Buckets::one(range);
        let (summary, _) = self.summary_and_series(subject, &buckets).await?;
        Ok(summary)
    }

    /// What the checks of the subject came to in each bucket, in order and without gaps.
    ///
    /// Of days whose checks were dropped, hours cannot be divided: what begins inside of such an hour
    /// begins with it, and buckets shorter than an hour become one. Each says what it is about in
    /// `from` and `to`, and together they are about the whole range at least.
    pub async fn series(
        &self,
        subject: &Subject,
        buckets: &Buckets,
    ) -> Result<Vec<Summary>, StoreError> {
        let (_, series) = self.summary_and_series(subject, buckets).await?;
        Ok(series)
    }

    /// What all buckets came to together, and each of them, as of one moment.
    pub async fn summary_and_series(
        &self,
        subject: &Subject,
        buckets: &Buckets,
    ) -> Result<(Summary, Vec<Summary>), StoreError> {
        if let (Sites::One(site), [from, to]) = (&subject.sites, buckets.borders()) {
            let range = TimeRange::new(*from, *to);
            let range = range.map_err(|error| StoreError::Value(error.to_string()))?;
            let region = subject.region.as_ref();
            let summary = self.summary_of_site(*site, region, range).await?;
            return Ok((summary.clone(), vec![summary]));
        }
        let mut transaction = snapshot::begin(&self.pool).await?;
        let scope = Scope::of(&mut transaction, subject, buckets).await?;
        let borders = divisible(buckets.borders(), scope.rolled_up.progress.final_to());
        let mut series = Vec::with_capacity(borders.len());
        let mut whole = Rollup::default();
        let mut rest = &borders[..];
        while rest.len() > 1 {
            // The end of these is the begin of the next.
            let last = AT_ONCE.min(rest.len() - 1);
            let rollups = scope.rollups(&mut transaction, &rest[..=last]).await?;
            for ([from, to], rollup) in rest.array_windows().zip(&rollups) {
                series.push(summary(*from, *to, rollup));
                whole.add(rollup);
            }
            rest = &rest[last..];
        }
        snapshot::end(transaction);
        let (Some(first), Some(last)) = (series.first(), series.last()) else {
            return Err(StoreError::Value("a range without buckets".to_owned()));
        };
        Ok((summary(first.from, last.to, &whole), series))
    }
}

impl Scope {
    async fn rollups(
        &self,
        connection: &mut PgConnection,
        borders: &[DateTime<Utc>],
    ) -> Result<Vec<Rollup>, StoreError> {
        let spans = plan(borders, &self.rolled_up.progress);
        let work = Work::of(&self.keys, &spans, &self.marks);
        work.read(connection, borders).await
    }
}

//! What the checks of some sites came to, step by step: less than a summary says, of many sites at once.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use monitor_core::metric::{
    OutcomeCounts, OverviewWindow, SiteTimeline, Timelines, timeline_steps,
};
use monitor_core::{Histogram, SiteId};
use sqlx::PgConnection;

use super::merge::counted;
use super::plan::{divisible, plan};
use super::read::{Parts, Work};
use super::{MetricDataProvider, scope, snapshot};
use crate::error::StoreError;
use crate::rollups::{Keys, Series};

impl MetricDataProvider {
    /// What the checks of each of these sites came to, in all regions, in each step of the window that
    /// ends at `now`. Sites that are not monitored are left out.
    ///
    /// Where `now` is long ago and checks of its hour were dropped, the window ends with that hour; `from`
    /// and `to` say what the answer is about.
    pub async fn timelines(
        &self,
        sites: &[SiteId],
        window: OverviewWindow,
        now: DateTime<Utc>,
    ) -> Result<Timelines, StoreError> {
        let problem = |error| StoreError::Value(format!("in a window up to {now}: {error}"));
        let (step, buckets) = timeline_steps(window, now).map_err(problem)?;
        let ids: Vec<i64> = sites.iter().map(|site| site.0).collect();
        let mut transaction = snapshot::begin(&self.pool).await?;
        let (mut monitored, keys) = monitored(&mut transaction, &ids).await?;
        let (rolled_up, marks) = scope::rolled_up(&mut transaction, &buckets, Some(&ids)).await?;
        let progress = rolled_up.progress;
        let borders = divisible(buckets.borders(), progress.final_to());
        let work = Work::of(&keys, &plan(&borders, &progress), &marks);
        monitored.read(&mut transaction, &work, &borders).await?;
        snapshot::end(transaction);
        let ends = buckets.borders().first().zip(borders.last());
        let (from, to) = ends.map_or((now, now), |(from, to)| (*from, *to));
        Ok(Timelines {
            from,
            to,
            step_ms: step.num_milliseconds().unsigned_abs(),
            sites: monitored.into_timelines(borders.len().saturating_sub(1))?,
        })
    }
}

/// Each of the sites that are monitored, and of which buckets, by number, anything is known.
#[derive(Default)]
struct Monitored(BTreeMap<i64, BTreeMap<i32, Bucket>>);

/// What the checks of a site in a step came to, so far.
#[derive(Default)]
struct Bucket {
    outcomes: OutcomeCounts,
    /// How long available checks took: histograms as they are stored, one after the other.
    histograms: Vec<u8>,
    /// The same of single checks.
    totals_us: Vec<i32>,
}

/// A rollup, or the checks of a site in a bucket, counted.
struct Part {
    site_id: i64,
    /// The number of the bucket, counted from one.
    bucket: i32,
    up: i64,
    degraded: i64,
    down: i64,
    missed: i64,
    error: i64,
    histogram: Option<Vec<u8>>,
    totals_us: Option<Vec<i32>>,
}

struct MonitoredRow {
    site_id: i64,
    region_id: Option<i16>,
}

/// Those of the sites that are monitored, and from where they were ever checked.
async fn monitored(
    connection: &mut PgConnection,
    ids: &[i64],
) -> Result<(Monitored, Keys), StoreError> {
    let rows = sqlx::query_as!(
        MonitoredRow,
        r#"-- timelines.monitored
        SELECT id AS site_id, region_id AS "region_id?"
        FROM sites
        LEFT JOIN site_state ON site_id = id
        WHERE id = ANY ($1)
        ORDER BY id, region_id"#,
        ids,
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing("cannot read which sites are monitored"))?;
    let mut monitored = Monitored::default();
    for row in &rows {
        monitored.0.entry(row.site_id).or_default();
    }
    let series = |row: MonitoredRow| {
        let site_id = row.site_id;
        row.region_id.map(|region_id| Series { site_id, region_id })
    };
    Ok((monitored, rows.into_iter().filter_map(series).collect()))
}

impl Monitored {
    async fn read(
        &mut self,
        connection: &mut PgConnection,
        work: &Work,
        borders: &[DateTime<Utc>],
    ) -> Result<(), StoreError> {
        let checks = work.checks();
        let mut parts = parts(connection, work, &checks, borders);
        let reading = || StoreError::doing("cannot read timelines");
        while let Some(part) = parts.try_next().await.map_err(reading())? {
            let site = self.0.entry(part.site_id).or_default();
            site.entry(part.bucket).or_default().add(part);
        }
        Ok(())
    }

    fn into_timelines(self, steps: usize) -> Result<Vec<SiteTimeline>, StoreError> {
        let mut histogram = Histogram::default();
        let mut sites = Vec::with_capacity(self.0.len());
        for (site, buckets) in self.0 {
            let mut timeline = SiteTimeline::of(SiteId(site));
            for (number, _) in (1..).zip(0..steps) {
                let bucket = buckets.get(&number);
                let outcomes = bucket.map(|bucket| bucket.outcomes).unwrap_or_default();
                let p95 = bucket.map(|bucket| bucket.p95_us(&mut histogram));
                timeline.push(&outcomes, p95.transpose()?.flatten());
            }
            sites.push(timeline);
        }
        Ok(sites)
    }
}

impl Bucket {
    fn add(&mut self, part: Part) {
        let counts = [part.up, part.degraded, part.down, part.missed, part.error];
        self.outcomes += counted(counts);
        self.histograms.extend(part.histogram.unwrap_or_default());
        self.totals_us.extend(part.totals_us.unwrap_or_default());
    }

    /// `room` is for one histogram at a time: each is some 4 KB large.
    fn p95_us(&self, room: &mut Histogram) -> Result<Option<f64>, StoreError> {
        room.clear();
        room.merge_packed(&self.histograms)
            .map_err(|error| StoreError::Value(format!("in a rollup: {error}")))?;
        for total_us in &self.totals_us {
            room.record(total_us.unsigned_abs());
        }
        Ok(room.quantile(0.95))
    }
}

/// Days, hours and checks in one answer: to ask thrice takes longer than to find them.
///
/// The ends of all checks are told apart from those of each series, so that days without any of them are
/// not looked at.
fn parts<'c>(
    connection: &'c mut PgConnection,
    work: &'c Work,
    checks: &'c Parts<DateTime<Utc>>,
    borders: &'c [DateTime<Utc>],
) -> BoxStream<'c, Result<Part, sqlx::Error>> {
    let query = sqlx::query_as!(
        Part,
        r#"-- timelines.parts
        SELECT
            site_id AS "site_id!",
            width_bucket(day::TIMESTAMP AT TIME ZONE 'UTC', $1::TIMESTAMPTZ[]) AS "bucket!",
            up::BIGINT AS "up!", degraded::BIGINT AS "degraded!", down::BIGINT AS "down!",
            missed::BIGINT AS "missed!", error::BIGINT AS "error!", total_histogram AS histogram,
            NULL::INTEGER[] AS totals_us
        FROM unnest($2::BIGINT[], $3::SMALLINT[], $4::DATE[], $5::DATE[])
            AS part (site_id, region_id, "from", "to")
        JOIN rollup_days USING (site_id, region_id)
        WHERE day >= part."from" AND day < part."to"
        UNION ALL
        SELECT
            site_id, width_bucket(hour, $1), up, degraded, down, missed, error, total_histogram, NULL
        FROM unnest($6::BIGINT[], $7::SMALLINT[], $8::TIMESTAMPTZ[], $9::TIMESTAMPTZ[])
            AS part (site_id, region_id, "from", "to")
        JOIN rollup_hours USING (site_id, region_id)
        WHERE hour >= part."from" AND hour < part."to"
        UNION ALL
        SELECT
            site_id, width_bucket(scheduled_at, $1),
            count(*) FILTER (WHERE outcome = 'up'), count(*) FILTER (WHERE outcome = 'degraded'),
            count(*) FILTER (WHERE outcome = 'down'), count(*) FILTER (WHERE outcome = 'missed'),
            count(*) FILTER (WHERE outcome = 'error'), NULL,
            array_agg(total_us) FILTER (
                WHERE (outcome = 'up' OR outcome = 'degraded') AND total_us IS NOT NULL
            )
        FROM unnest($10::BIGINT[], $11::SMALLINT[], $12::TIMESTAMPTZ[], $13::TIMESTAMPTZ[])
            AS part (site_id, region_id, "from", "to")
        JOIN check_results USING (site_id, region_id)
        WHERE scheduled_at >= part."from" AND scheduled_at < part."to"
            AND scheduled_at >= $14 AND scheduled_at < $15
        GROUP BY 1, 2"#,
        borders,
        &work.days.site_ids,
        &work.days.region_ids,
        &work.days.froms,
        &work.days.tos,
        &work.hours.site_ids,
        &work.hours.region_ids,
        &work.hours.froms,
        &work.hours.tos,
        &checks.site_ids,
        &checks.region_ids,
        &checks.froms,
        &checks.tos,
        checks.froms.iter().min(),
        checks.tos.iter().max(),
    );
    query.fetch(connection)
}

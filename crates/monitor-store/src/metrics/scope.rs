//! Whose checks an answer is about, and what is rolled up of them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use monitor_core::metric::{Buckets, Sites, Subject};
use monitor_core::{Region, SiteId};
use sqlx::PgConnection;

use crate::error::StoreError;
use crate::rollups::{Keys, Progress, Series};

/// Hours of each series of which late checks are stored, and not rolled up yet.
pub(super) type Marks = BTreeMap<Series, BTreeSet<DateTime<Utc>>>;

/// Whose checks, and what is rolled up of them.
pub(super) struct Scope {
    pub(super) keys: Keys,
    pub(super) progress: Progress,
    pub(super) marks: Marks,
}

impl Scope {
    /// Of a site all is asked at once: to ask twice takes longer than to find it.
    pub(super) async fn of(
        connection: &mut PgConnection,
        subject: &Subject,
        buckets: &Buckets,
    ) -> Result<Self, StoreError> {
        if let Sites::One(site) = subject.sites {
            let region = subject.region.as_ref();
            return of_site(connection, site, region, buckets).await;
        }
        let keys = series(connection, subject).await?;
        let (progress, marks) = progress(connection, buckets, None).await?;
        Ok(Self {
            keys,
            progress,
            marks,
        })
    }
}

async fn of_site(
    connection: &mut PgConnection,
    site: SiteId,
    region: Option<&Region>,
    buckets: &Buckets,
) -> Result<Scope, StoreError> {
    let rows = sqlx::query_as!(
        ProgressAndMark,
        r#"-- metrics.scope_of_site
        SELECT
            hours_closed_to, days_closed_to, raw_from,
            state.site_id AS "site_id?", state.region_id AS "region_id?", mark.hour AS "hour?"
        FROM rollup_progress
        LEFT JOIN site_state AS state ON state.site_id = $1
            AND ($2::TEXT IS NULL OR region_id = (SELECT id FROM regions WHERE name = $2))
        LEFT JOIN dirty_hours AS mark ON mark.hour >= $3 AND mark.hour < $4
            AND mark.hour < hours_closed_to
            AND (raw_from IS NULL OR mark.hour >= raw_from::TIMESTAMP AT TIME ZONE 'UTC')
            AND mark.site_id = state.site_id AND mark.region_id = state.region_id
        ORDER BY state.region_id"#,
        site.0,
        region.map(Region::as_str),
        buckets.borders().first(),
        buckets.borders().last(),
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing("cannot read how far the rollups are"))?;
    let series = rows.iter().filter_map(ProgressAndMark::series);
    let mut series: Vec<_> = series.collect();
    // Once for each mark.
    series.dedup();
    let (progress, marks) = told(&rows);
    Ok(Scope {
        keys: series.into_iter().collect(),
        progress,
        marks,
    })
}

/// The series that were ever checked of the subject. Every site and region that a check was ever
/// stored of has a state.
pub(super) async fn series(
    connection: &mut PgConnection,
    subject: &Subject,
) -> Result<Keys, StoreError> {
    let region = subject.region.as_ref().map(Region::as_str);
    macro_rules! of {
        ($name:literal, $sites:literal, $($parameter:expr),*) => {
            sqlx::query_as!(
                Series,
                "-- " + $name + "\nSELECT site_id, region_id FROM site_state
                WHERE ($1::TEXT IS NULL OR region_id = (SELECT id FROM regions WHERE name = $1))
                    AND " + $sites + "\nORDER BY site_id, region_id",
                region,
                $($parameter),*
            )
            .fetch_all(connection)
            .await
        };
    }
    let series = match &subject.sites {
        Sites::One(site) => of!("metrics.series_of_site", "site_id = $2", site.0),
        Sites::Tagged(tag) => of!(
            "metrics.series_of_tag",
            "site_id IN (SELECT id FROM sites WHERE $2 = ANY (tags))",
            tag
        ),
        Sites::All => of!("metrics.series", "TRUE",),
    };
    let series = series.map_err(StoreError::doing("cannot list the sites that were checked"))?;
    Ok(series.into_iter().collect())
}

struct ProgressAndMark {
    hours_closed_to: Option<DateTime<Utc>>,
    days_closed_to: Option<NaiveDate>,
    raw_from: Option<NaiveDate>,
    site_id: Option<i64>,
    region_id: Option<i16>,
    hour: Option<DateTime<Utc>>,
}

/// How far checks have been rolled up, and what of it is to be computed again, in hours that begin
/// in the range: of others no more than a part is asked for, which is read check by check. Marks of
/// hours that are final or not closed mean nothing, and are left out. With `sites`, only their marks
/// are told.
pub(super) async fn progress(
    connection: &mut PgConnection,
    buckets: &Buckets,
    sites: Option<&[i64]>,
) -> Result<(Progress, Marks), StoreError> {
    let rows = sqlx::query_as!(
        ProgressAndMark,
        r#"-- metrics.progress
        SELECT
            hours_closed_to, days_closed_to, raw_from,
            site_id AS "site_id?", region_id AS "region_id?", hour AS "hour?"
        FROM rollup_progress
        LEFT JOIN dirty_hours ON hour >= $1 AND hour < $2 AND hour < hours_closed_to
            AND (raw_from IS NULL OR hour >= raw_from::TIMESTAMP AT TIME ZONE 'UTC')
            AND ($3::BIGINT[] IS NULL OR site_id = ANY ($3))"#,
        buckets.borders().first(),
        buckets.borders().last(),
        sites,
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing("cannot read how far the rollups are"))?;
    Ok(told(&rows))
}

fn told(rows: &[ProgressAndMark]) -> (Progress, Marks) {
    let progress = rows.first().map(|row| Progress {
        hours_closed_to: row.hours_closed_to,
        days_closed_to: row.days_closed_to,
        raw_from: row.raw_from,
    });
    let mut marks = Marks::new();
    for row in rows {
        if let (Some(series), Some(hour)) = (row.series(), row.hour) {
            marks.entry(series).or_default().insert(hour);
        }
    }
    (progress.unwrap_or_default(), marks)
}

impl ProgressAndMark {
    fn series(&self) -> Option<Series> {
        let (site_id, region_id) = self.site_id.zip(self.region_id)?;
        Some(Series { site_id, region_id })
    }
}

//! Whose checks an answer is about, and what is rolled up of them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use monitor_core::Region;
use monitor_core::metric::{Buckets, Sites, Subject};
use sqlx::PgConnection;

use crate::error::StoreError;
use crate::rollups::{Keys, Progress, Series};

/// Hours of each series of which late checks are stored, and not rolled up yet.
pub(super) type Marks = BTreeMap<Series, BTreeSet<DateTime<Utc>>>;

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
/// hours that are final or not closed mean nothing, and are left out.
pub(super) async fn progress(
    connection: &mut PgConnection,
    subject: &Subject,
    buckets: &Buckets,
) -> Result<(Progress, Marks), StoreError> {
    let site = match subject.sites {
        Sites::One(site) => Some(site.0),
        Sites::Tagged(_) | Sites::All => None,
    };
    let rows = sqlx::query_as!(
        ProgressAndMark,
        r#"-- metrics.progress
        SELECT
            hours_closed_to, days_closed_to, raw_from,
            site_id AS "site_id?", region_id AS "region_id?", hour AS "hour?"
        FROM rollup_progress
        LEFT JOIN dirty_hours ON hour >= $1 AND hour < $2 AND hour < hours_closed_to
            AND (raw_from IS NULL OR hour >= raw_from::TIMESTAMP AT TIME ZONE 'UTC')
            AND ($3::BIGINT IS NULL OR site_id = $3)"#,
        buckets.borders().first(),
        buckets.borders().last(),
        site,
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing("cannot read how far the rollups are"))?;
    let progress = rows.first().map(|row| Progress {
        hours_closed_to: row.hours_closed_to,
        days_closed_to: row.days_closed_to,
        raw_from: row.raw_from,
    });
    let mut marks = Marks::new();
    for row in rows {
        if let (Some(site_id), Some(region_id), Some(hour)) = (row.site_id, row.region_id, row.hour)
        {
            let series = Series { site_id, region_id };
            marks.entry(series).or_default().insert(hour);
        }
    }
    Ok((progress.unwrap_or_default(), marks))
}

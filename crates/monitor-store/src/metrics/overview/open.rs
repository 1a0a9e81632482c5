//! What the checks of hours came to that are not closed, or marked: check by check.

use chrono::{DateTime, Utc};
use monitor_core::metric::OutcomeCounts;
use sqlx::PgConnection;

use super::Sum;
use crate::error::StoreError;
use crate::metrics::plan::Span;
use crate::metrics::scope::Marks;

/// The checks of a site, counted.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) site_id: i64,
    up: i64,
    degraded: i64,
    down: i64,
    missed: i64,
    error: i64,
    /// How long each available check took.
    totals_us: Option<Vec<i32>>,
}

/// Marks, as columns.
#[derive(Debug, Default)]
pub(super) struct Marked {
    pub(super) site_ids: Vec<i64>,
    pub(super) region_ids: Vec<i16>,
    pub(super) hours: Vec<DateTime<Utc>>,
}

impl Marked {
    /// Those of hours that matter.
    pub(super) fn of(marks: &Marks, matters: impl Fn(DateTime<Utc>) -> bool) -> Self {
        let mut marked = Self::default();
        for (series, hours) in marks {
            for hour in hours.iter().filter(|hour| matters(**hour)) {
                marked.site_ids.push(series.site_id);
                marked.region_ids.push(series.region_id);
                marked.hours.push(*hour);
            }
        }
        marked
    }
}

impl Tally {
    pub(super) fn add_to(&self, sum: &mut Sum) {
        sum.outcomes += OutcomeCounts {
            up: self.up.unsigned_abs(),
            degraded: self.degraded.unsigned_abs(),
            down: self.down.unsigned_abs(),
            missed: self.missed.unsigned_abs(),
            error: self.error.unsigned_abs(),
        };
        for total_us in self.totals_us.iter().flatten() {
            sum.total.record(total_us.unsigned_abs());
        }
    }
}

/// The query for [`Tally`]s: its name, from where, and the parameters.
macro_rules! tallies {
    ($name:literal, $from:literal, $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            Tally,
            "-- " + $name + r#"
            SELECT
                site_id AS "site_id!",
                count(*) FILTER (WHERE outcome = 'up') AS "up!",
                count(*) FILTER (WHERE outcome = 'degraded') AS "degraded!",
                count(*) FILTER (WHERE outcome = 'down') AS "down!",
                count(*) FILTER (WHERE outcome = 'missed') AS "missed!",
                count(*) FILTER (WHERE outcome = 'error') AS "error!",
                array_agg(total_us) FILTER (
                    WHERE (outcome = 'up' OR outcome = 'degraded') AND total_us IS NOT NULL
                ) AS totals_us
            "# + $from + "\nGROUP BY site_id",
            $($parameter),+
        )
    };
}

pub(super) async fn tallies(
    connection: &mut PgConnection,
    span: &Span,
) -> Result<Vec<Tally>, StoreError> {
    tallies!(
        "overview.checks",
        "FROM check_results WHERE scheduled_at >= $1 AND scheduled_at < $2",
        span.from,
        span.to,
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing("cannot read checks"))
}

/// Of hours that are marked.
pub(super) async fn marked(
    connection: &mut PgConnection,
    marked: &Marked,
) -> Result<Vec<Tally>, StoreError> {
    tallies!(
        "overview.marked_checks",
        "FROM unnest($1::BIGINT[], $2::SMALLINT[], $3::TIMESTAMPTZ[])
            AS mark (site_id, region_id, hour)
        JOIN check_results USING (site_id, region_id)
        WHERE scheduled_at >= hour AND scheduled_at < hour + INTERVAL '1 hour'",
        &marked.site_ids,
        &marked.region_ids,
        &marked.hours,
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing("cannot read checks"))
}

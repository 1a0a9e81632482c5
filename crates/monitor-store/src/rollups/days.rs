//! Days from hours.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use futures_util::TryStreamExt as _;
use monitor_core::Outcome;
use sqlx::PgConnection;
use strum::VariantArray as _;

use super::Count;
use super::keys::Keys;
use super::raw::failure_kind;
use super::rollup::{Durations, Rollup};
use super::write::{Identities, Rows};
use crate::error::StoreError;

/// A row of `rollup_hours`. Lists of six are of the phases.
struct Hour {
    /// Which of the series, counted from one.
    series: i64,
    outcomes: Vec<i32>,
    suspect: i32,
    content_matched: i32,
    content_unmatched: i32,
    failure_kinds: Vec<String>,
    failure_counts: Vec<i32>,
    status_codes: Vec<i16>,
    status_counts: Vec<i32>,
    sums_us: Vec<i64>,
    mins_us: Vec<Option<i32>>,
    maxs_us: Vec<Option<i32>>,
    histograms: Vec<Vec<u8>>,
}

/// Computes these series on one day anew, in the transaction of the connection: the only way to a
/// row of `rollup_days`.
pub(super) async fn compute(
    connection: &mut PgConnection,
    day: NaiveDate,
    keys: &Keys,
) -> Result<Count, StoreError> {
    let mut identities = Identities::default();
    keys.iter().for_each(|series| identities.push(series, day));
    let mut rows = Rows::in_place_of(connection, identities).await?;
    let rollups = read(connection, day, keys).await?;
    for (series, rollup) in keys.iter().zip(&rollups) {
        if rollup.checks() > 0 {
            rows.push(series, day, rollup)?;
        }
    }
    Ok(Count {
        days: rows.replace(connection).await?,
        ..Count::default()
    })
}

/// The begin of a day in UTC.
pub(super) fn begin(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// What the hours of the day come to, for each of the series.
async fn read(
    connection: &mut PgConnection,
    day: NaiveDate,
    keys: &Keys,
) -> Result<Vec<Rollup>, StoreError> {
    let mut hours = sqlx::query_as!(
        Hour,
        r#"-- rollups.read_hours
        SELECT
            series AS "series!",
            ARRAY[up, degraded, down, missed, error] AS "outcomes!",
            suspect, content_matched, content_unmatched,
            failure_kinds::TEXT[] AS "failure_kinds!", failure_counts, status_codes, status_counts,
            ARRAY[
                dns_sum_us, connect_sum_us, tls_sum_us, first_byte_sum_us, transfer_sum_us,
                total_sum_us
            ] AS "sums_us!",
            ARRAY[
                dns_min_us, connect_min_us, tls_min_us, first_byte_min_us, transfer_min_us,
                total_min_us
            ] AS "mins_us!: Vec<Option<i32>>",
            ARRAY[
                dns_max_us, connect_max_us, tls_max_us, first_byte_max_us, transfer_max_us,
                total_max_us
            ] AS "maxs_us!: Vec<Option<i32>>",
            ARRAY[
                dns_histogram, connect_histogram, tls_histogram, first_byte_histogram,
                transfer_histogram, total_histogram
            ] AS "histograms!"
        FROM unnest($1::BIGINT[], $2::SMALLINT[])
            WITH ORDINALITY AS key (site_id, region_id, series)
        JOIN rollup_hours USING (site_id, region_id)
        WHERE hour >= $3 AND hour < $4"#,
        keys.site_ids(),
        keys.region_ids(),
        begin(day),
        begin(day) + TimeDelta::days(1),
    )
    .fetch(connection);
    let mut rollups = vec![Rollup::default(); keys.len()];
    while let Some(hour) = hours
        .try_next()
        .await
        .map_err(StoreError::doing("cannot read the hours of a day"))?
    {
        let index = usize::try_from(hour.series - 1).unwrap_or(usize::MAX);
        if let Some(rollup) = rollups.get_mut(index) {
            hour.add_to(rollup)?;
        }
    }
    Ok(rollups)
}

impl Hour {
    fn add_to(&self, rollup: &mut Rollup) -> Result<(), StoreError> {
        for (outcome, count) in Outcome::VARIANTS.iter().zip(&self.outcomes) {
            rollup.add_outcome(*outcome, counted(*count)?);
        }
        rollup.suspect += counted::<_, u64>(self.suspect)?;
        rollup.content_matched += counted::<_, u64>(self.content_matched)?;
        rollup.content_unmatched += counted::<_, u64>(self.content_unmatched)?;
        for (kind, count) in self.failure_kinds.iter().zip(&self.failure_counts) {
            rollup.add_failure(failure_kind(kind)?, counted(*count)?);
        }
        for (code, count) in self.status_codes.iter().zip(&self.status_counts) {
            rollup.add_status_code(counted(*code)?, counted(*count)?);
        }
        let ends = self.mins_us.iter().zip(&self.maxs_us);
        let stored = self.sums_us.iter().zip(ends).zip(&self.histograms);
        for (phase, ((sum_us, (min, max)), histogram)) in rollup.phases.iter_mut().zip(stored) {
            add_durations(phase, *sum_us, min.zip(*max))?;
            phase
                .histogram
                .merge_packed(histogram)
                .map_err(|error| StoreError::Value(format!("in rollup_hours: {error}")))?;
        }
        Ok(())
    }
}

fn add_durations(
    phase: &mut Durations,
    sum_us: i64,
    range_us: Option<(i32, i32)>,
) -> Result<(), StoreError> {
    phase.sum_us += counted::<_, u64>(sum_us)?;
    if let Some((min, max)) = range_us {
        phase.include(counted(min)?, counted(max)?);
    }
    Ok(())
}

/// A number that cannot be negative, unless somebody has changed it by hand.
fn counted<T: TryInto<U> + Copy + std::fmt::Display, U>(number: T) -> Result<U, StoreError> {
    let problem = |_| StoreError::Value(format!("rollup_hours counts {number}"));
    number.try_into().map_err(problem)
}

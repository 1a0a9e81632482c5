//! Rollups as they are read.

use monitor_core::Outcome;
use strum::VariantArray as _;

use super::rollup::{Durations, Rollup};
use crate::error::{StoreError, parsed};

/// A row of `rollup_hours` or `rollup_days`. Lists of six are of the phases.
#[derive(Debug)]
pub(crate) struct RollupRow {
    /// Which of those that were asked for.
    pub(crate) key: i64,
    pub(crate) outcomes: Vec<i32>,
    pub(crate) suspect: i32,
    pub(crate) content_matched: i32,
    pub(crate) content_unmatched: i32,
    pub(crate) failure_kinds: Vec<String>,
    pub(crate) failure_counts: Vec<i32>,
    pub(crate) status_codes: Vec<i16>,
    pub(crate) status_counts: Vec<i32>,
    pub(crate) sums_us: Vec<i64>,
    pub(crate) mins_us: Vec<Option<i32>>,
    pub(crate) maxs_us: Vec<Option<i32>>,
    pub(crate) histograms: Vec<Vec<u8>>,
}

/// The query for [`RollupRow`]s: its name, their key and from where, and the parameters. From more than
/// one place when all but the last say `UNION ALL`.
macro_rules! rollup_rows {
    ($name:literal, $([$key:literal, $from:literal]),+; $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            $crate::rollups::RollupRow,
            "-- " + $name $(+ "\nSELECT " + $key + r#" AS "key!",
                ARRAY[up, degraded, down, missed, error] AS "outcomes!",
                suspect AS "suspect!", content_matched AS "content_matched!",
                content_unmatched AS "content_unmatched!",
                failure_kinds::TEXT[] AS "failure_kinds!", failure_counts AS "failure_counts!",
                status_codes AS "status_codes!", status_counts AS "status_counts!",
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
            "# + $from)+,
            $($parameter),+
        )
    };
}
pub(crate) use rollup_rows;

impl RollupRow {
    /// Adds it to what is known already.
    pub(crate) fn add_to(&self, rollup: &mut Rollup) -> Result<(), StoreError> {
        for (outcome, count) in Outcome::VARIANTS.iter().zip(&self.outcomes) {
            rollup.add_outcome(*outcome, counted(*count)?);
        }
        rollup.suspect += counted::<_, u64>(self.suspect)?;
        rollup.content_matched += counted::<_, u64>(self.content_matched)?;
        rollup.content_unmatched += counted::<_, u64>(self.content_unmatched)?;
        for (kind, count) in self.failure_kinds.iter().zip(&self.failure_counts) {
            rollup.add_failure(parsed(kind)?, counted(*count)?);
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
                .map_err(|error| StoreError::Value(format!("in a rollup: {error}")))?;
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
    let problem = |_| StoreError::Value(format!("a rollup counts {number}"));
    number.try_into().map_err(problem)
}

//! The checks of one hour, put together by site and added up.
//!
//! The database puts the durations of a site together, two in one number: that is one row for a site
//! instead of sixty, and a few bytes for a check instead of fifteen values. What is usual of a check
//! (it is up, and saw 200) is only counted.

use std::ops::RangeInclusive;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use monitor_core::event::ContentMatch;
use monitor_core::{FailureKind, Outcome};
use sqlx::PgConnection;
use strum::VariantArray as _;

use super::keys::{Keys, Series, Whose};
use super::rollup::Rollup;
use crate::error::StoreError;

/// The checks of one site in one region that were due in one hour.
struct Checks {
    site_id: i64,
    region_id: i16,
    count: i64,
    content_matched: i64,
    content_unmatched: i64,
    /// Of checks that are not up, saw another code than 200 or are suspect: the code, suspect, and
    /// the outcome, in bits.
    unusual: Option<Vec<i32>>,
    failures: Option<Vec<String>>,
    /// Of each available check the phases, two in a number: see [`halves`].
    durations: Option<Vec<u8>>,
}

const USUAL_CODE: u16 = 200;

/// Calls `each` with what the checks of each of these series came to in the hour that begins then,
/// for those that had any. Returns how many checks that were.
pub(super) async fn read_hour(
    connection: &mut PgConnection,
    hour: DateTime<Utc>,
    whose: &Whose,
    mut each: impl FnMut(Series, &Rollup) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let mut rows = match whose {
        Whose::Sites(sites) => of_sites(connection, hour, sites),
        Whose::Series(keys) => of_series(connection, hour, keys),
    };
    let (mut read, mut rollup) = (0, Rollup::default());
    while let Some(checks) = rows
        .try_next()
        .await
        .map_err(StoreError::doing("cannot read the checks of an hour"))?
    {
        rollup.clear();
        checks.add_to(&mut rollup)?;
        each(checks.series(), &rollup)?;
        read += rollup.checks();
    }
    Ok(read)
}

/// The query for checks, from where it says whose.
macro_rules! checks {
    ($from:literal, $($parameter:expr),+) => {
        sqlx::query_as!(
            Checks,
            r#"-- rollups.read_checks
            SELECT
                check_results.site_id, check_results.region_id,
                count(*) AS "count!",
                count(*) FILTER (WHERE content = 'matched') AS "content_matched!",
                count(*) FILTER (WHERE content = 'unmatched') AS "content_unmatched!",
                array_agg(
                    (coalesce(status_code, 0)::INTEGER << 4) | (suspect::INTEGER << 3)
                    | CASE outcome
                        WHEN 'up' THEN 0
                        WHEN 'degraded' THEN 1
                        WHEN 'down' THEN 2
                        WHEN 'missed' THEN 3
                        ELSE 4 END
                ) FILTER (
                    WHERE outcome <> 'up' OR suspect OR status_code IS DISTINCT FROM 200
                ) AS unusual,
                array_agg(failure_kind::TEXT) FILTER (WHERE failure_kind IS NOT NULL) AS failures,
                string_agg(
                    int8send(
                        (coalesce(dns_us::BIGINT + 1, 0) << 32)
                        | coalesce(connect_us::BIGINT + 1, 0)
                    ) || int8send(
                        (coalesce(tls_us::BIGINT + 1, 0) << 32)
                        | coalesce(first_byte_us::BIGINT + 1, 0)
                    ) || int8send(
                        (coalesce(transfer_us::BIGINT + 1, 0) << 32)
                        | coalesce(total_us::BIGINT + 1, 0)
                    ),
                    ''::BYTEA
                ) FILTER (WHERE outcome = 'up' OR outcome = 'degraded') AS durations
            "# + $from + r#"
                AND scheduled_at >= $3 AND scheduled_at < $4
            GROUP BY check_results.site_id, check_results.region_id"#,
            $($parameter),+
        )
    };
}

/// As they lie in the table, all sites mixed: to look up each site's by the key costs much more.
fn of_sites<'c>(
    connection: &'c mut PgConnection,
    hour: DateTime<Utc>,
    sites: &'c RangeInclusive<i64>,
) -> BoxStream<'c, Result<Checks, sqlx::Error>> {
    let query = checks!(
        "FROM check_results WHERE site_id BETWEEN $1 AND $2",
        sites.start(),
        sites.end(),
        hour,
        hour + TimeDelta::hours(1)
    );
    query.fetch(connection)
}

/// Series by series.
fn of_series<'c>(
    connection: &'c mut PgConnection,
    hour: DateTime<Utc>,
    keys: &'c Keys,
) -> BoxStream<'c, Result<Checks, sqlx::Error>> {
    let query = checks!(
        r#"FROM unnest($1::BIGINT[], $2::SMALLINT[]) AS key (site_id, region_id)
            JOIN check_results USING (site_id, region_id)
            WHERE TRUE"#,
        keys.site_ids(),
        keys.region_ids(),
        hour,
        hour + TimeDelta::hours(1)
    );
    query.fetch(connection)
}

impl Checks {
    fn series(&self) -> Series {
        Series {
            site_id: self.site_id,
            region_id: self.region_id,
        }
    }

    fn add_to(&self, rollup: &mut Rollup) -> Result<(), StoreError> {
        let unusual = self.unusual.as_deref().unwrap_or_default();
        for bits in unusual {
            add_unusual(rollup, *bits)?;
        }
        let usual = self.count.unsigned_abs() - unusual.len() as u64;
        rollup.add_outcome(Outcome::Up, usual);
        rollup.add_status_code(USUAL_CODE, usual);
        rollup.add_content(ContentMatch::Matched, self.content_matched.unsigned_abs());
        rollup.add_content(
            ContentMatch::Unmatched,
            self.content_unmatched.unsigned_abs(),
        );
        for kind in self.failures.iter().flatten() {
            rollup.add_failure(failure_kind(kind)?, 1);
        }
        let (pairs, _) = self.durations.as_deref().unwrap_or_default().as_chunks();
        for (index, pair) in pairs.iter().enumerate() {
            let first = 2 * (index % 3);
            let (high, low) = halves(*pair);
            rollup.phases[first].record_some(high);
            rollup.phases[first + 1].record_some(low);
        }
        Ok(())
    }
}

fn add_unusual(rollup: &mut Rollup, bits: i32) -> Result<(), StoreError> {
    let wrong = || StoreError::Value(format!("an unusual check reads {bits:#x}"));
    let outcome = usize::try_from(bits & 0b111).ok();
    let outcome = outcome.and_then(|index| Outcome::VARIANTS.get(index));
    rollup.add_outcome(*outcome.ok_or_else(wrong)?, 1);
    rollup.suspect += u64::from(bits & 0b1000 != 0);
    match u16::try_from(bits >> 4).map_err(|_| wrong())? {
        0 => {}
        code => rollup.add_status_code(code, 1),
    }
    Ok(())
}

/// Both durations of a pair, as PostgreSQL sends it: each is one more than it is, or zero when there
/// is none.
fn halves(pair: [u8; 8]) -> (Option<u32>, Option<u32>) {
    let (halves, _) = pair.as_chunks();
    let half = |index: usize| u32::from_be_bytes(halves[index]).checked_sub(1);
    (half(0), half(1))
}

pub(super) fn failure_kind(name: &str) -> Result<FailureKind, StoreError> {
    name.parse().map_err(|_| {
        StoreError::Value(format!(
            "the checks table says {name:?}, which this program does not know"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_holds_two_durations_that_need_not_be_there() {
        let halves = |pair: u64| halves(pair.to_be_bytes());
        let largest = u64::from(i32::MAX.unsigned_abs()) + 1;
        assert_eq!(halves(0), (None, None));
        assert_eq!(halves(1), (None, Some(0)));
        assert_eq!(halves((1 << 32) | 6), (Some(0), Some(5)));
        let both = Some(i32::MAX.unsigned_abs());
        assert_eq!(halves((largest << 32) | largest), (both, both));
    }
}

//! Checks as the database puts them together: what those of a group came to, in one row.
//!
//! Durations come two in one number: that is one row for a group instead of one for each check, and
//! a few bytes for a check instead of fifteen values. What is usual of a check (it is up, and saw
//! 200) is only counted.

use monitor_core::Outcome;
use monitor_core::event::ContentMatch;
use strum::VariantArray as _;

use super::rollup::Rollup;
use crate::error::{StoreError, parsed};

/// The checks of one group.
#[derive(Debug)]
pub(crate) struct Checks {
    /// Which group.
    pub(crate) key: Vec<i64>,
    pub(crate) count: i64,
    pub(crate) content_matched: i64,
    pub(crate) content_unmatched: i64,
    /// Of checks that are not up, saw another code than 200 or are suspect: the code, suspect, and
    /// the outcome, in bits.
    pub(crate) unusual: Option<Vec<i32>>,
    pub(crate) failures: Option<Vec<String>>,
    /// Of each available check the phases, two in a number: see [`halves`].
    pub(crate) durations: Option<Vec<u8>>,
}

const USUAL_CODE: u16 = 200;

/// The query for [`Checks`]: its name, what they are grouped by, from where, and the parameters. Those
/// that are not grouped, but `all` together, have a key that does not depend on them.
macro_rules! checks {
    ($name:literal, all $key:literal, $from:literal, $($parameter:expr),+ $(,)?) => {
        $crate::rollups::checks!(@ $name, $key, $from, [""], $($parameter),+)
    };
    ($name:literal, $key:literal, $from:literal, $($parameter:expr),+ $(,)?) => {
        $crate::rollups::checks!(@ $name, $key, $from, ["\nGROUP BY " + $key], $($parameter),+)
    };
    (@ $name:literal, $key:literal, $from:literal, [$($groups:tt)+], $($parameter:expr),+) => {
        sqlx::query_as!(
            $crate::rollups::Checks,
            "-- " + $name + "\nSELECT ARRAY[" + $key + r#"]::BIGINT[] AS "key!",
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
            "# + $from + $($groups)+,
            $($parameter),+
        )
    };
}
pub(crate) use checks;

impl Checks {
    /// Adds them to what is known already.
    pub(crate) fn add_to(&self, rollup: &mut Rollup) -> Result<(), StoreError> {
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
            rollup.add_failure(parsed(kind)?, 1);
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

//! What checks come to, by plain arithmetic over all of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use monitor_core::histogram::RELATIVE_ERROR;
use monitor_core::metric::{Statistics, Summary};
use monitor_core::{FailureKind, Outcome};
use sqlx::PgPool;
use strum::VariantArray as _;

/// A stored check.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Check {
    pub(crate) site_id: i64,
    pub(crate) region: String,
    pub(crate) scheduled_at: DateTime<Utc>,
    pub(crate) outcome: String,
    content: String,
    pub(crate) failure_kind: Option<String>,
    status_code: Option<i16>,
    suspect: bool,
    /// In the order of the phases.
    pub(crate) durations: Vec<Option<i32>>,
}

/// All that are stored.
pub(crate) async fn checks(pool: &PgPool) -> Vec<Check> {
    sqlx::query_as(
        "SELECT site_id, region, scheduled_at, outcome::TEXT, content::TEXT, failure_kind::TEXT,
            status_code, suspect,
            ARRAY[dns_us, connect_us, tls_us, first_byte_us, transfer_us, total_us] AS durations
        FROM checks",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// The summary says what those of the checks come to that are in its time.
pub(crate) fn assert_right(summary: &Summary, checks: &[&Check]) {
    let inside = |check: &&&Check| (summary.from..summary.to).contains(&check.scheduled_at);
    let checks: Vec<_> = checks.iter().filter(inside).copied().collect();
    let count =
        |is: &dyn Fn(&Check) -> bool| checks.iter().filter(|check| is(check)).count() as u64;
    for outcome in Outcome::VARIANTS {
        let right = count(&|check| check.outcome == outcome.to_string());
        assert_eq!(
            summary.outcomes.of(*outcome),
            right,
            "{outcome} {summary:?}"
        );
    }
    assert_eq!(summary.suspect, count(&|check| check.suspect));
    assert_eq!(
        summary.content.matched,
        count(&|check| check.content == "matched")
    );
    assert_eq!(
        summary.content.unmatched,
        count(&|check| check.content == "unmatched")
    );
    let mut failure_kinds: BTreeMap<FailureKind, u64> = BTreeMap::new();
    let mut status_codes: BTreeMap<u16, u64> = BTreeMap::new();
    for check in &checks {
        if let Some(kind) = &check.failure_kind {
            *failure_kinds.entry(kind.parse().unwrap()).or_default() += 1;
        }
        if let Some(code) = check.status_code {
            *status_codes.entry(code.try_into().unwrap()).or_default() += 1;
        }
    }
    assert_eq!(summary.failure_kinds, failure_kinds);
    assert_eq!(summary.status_codes, status_codes);
    assert_shares(summary);
    assert_durations(summary, &checks);
}

fn assert_shares(summary: &Summary) {
    let outcomes = &summary.outcomes;
    assert_eq!(summary.uptime, outcomes.uptime());
    assert_eq!(summary.coverage, outcomes.coverage());
}

fn assert_durations(summary: &Summary, checks: &[&Check]) {
    let said = &summary.durations;
    let phases = [
        said.dns,
        said.connect,
        said.tls,
        said.first_byte,
        said.transfer,
        said.total,
    ];
    let available = checks
        .iter()
        .filter(|check| ["up", "degraded"].contains(&&*check.outcome));
    for (index, statistics) in phases.iter().enumerate() {
        let durations = available.clone().filter_map(|check| check.durations[index]);
        let mut durations: Vec<u32> = durations.map(|us| us.try_into().unwrap()).collect();
        durations.sort_unstable();
        match statistics {
            Some(statistics) => assert_statistics(statistics, &durations),
            None => assert_eq!(durations, [0; 0]),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sums of a test are small")]
fn assert_statistics(said: &Statistics, sorted: &[u32]) {
    assert_eq!(said.count, sorted.len() as u64);
    assert_eq!(
        (said.min_us, said.max_us),
        (sorted[0], sorted[sorted.len() - 1])
    );
    let sum: u64 = sorted.iter().copied().map(u64::from).sum();
    assert!((said.mean_us * said.count as f64 - sum as f64).abs() <= sum as f64 * 1e-12);
    for (percent, said) in [
        (50, said.p50_us),
        (90, said.p90_us),
        (95, said.p95_us),
        (99, said.p99_us),
    ] {
        let rank = (percent * sorted.len()).div_ceil(100).max(1);
        let right = f64::from(sorted[rank - 1]);
        let off = (said - right).abs();
        assert!(
            off <= RELATIVE_ERROR * right * 1.000_001,
            "p{percent}: {said}, right is {right}"
        );
    }
}

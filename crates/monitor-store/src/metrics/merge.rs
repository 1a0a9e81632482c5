//! From sums to what people ask for.

use chrono::{DateTime, Utc};
use monitor_core::Outcome;
use monitor_core::metric::{ContentCounts, OutcomeCounts, PhaseDurations, Statistics, Summary};

use crate::rollups::{Durations, Rollup};

/// What the checks from `from` up to `to` came to.
pub(super) fn summary(from: DateTime<Utc>, to: DateTime<Utc>, rollup: &Rollup) -> Summary {
    let outcomes = OutcomeCounts {
        up: rollup.outcome(Outcome::Up),
        degraded: rollup.outcome(Outcome::Degraded),
        down: rollup.outcome(Outcome::Down),
        missed: rollup.outcome(Outcome::Missed),
        error: rollup.outcome(Outcome::Error),
    };
    let [dns, connect, tls, first_byte, transfer, total] = rollup.phases.each_ref().map(statistics);
    Summary {
        from,
        to,
        outcomes,
        uptime: outcomes.uptime(),
        coverage: outcomes.coverage(),
        suspect: rollup.suspect,
        content: ContentCounts {
            matched: rollup.content_matched,
            unmatched: rollup.content_unmatched,
        },
        failure_kinds: rollup.failures.clone(),
        status_codes: rollup.status_codes.clone(),
        durations: PhaseDurations {
            dns,
            connect,
            tls,
            first_byte,
            transfer,
            total,
        },
    }
}

/// How many checks ended in each way, as the database counts them: in the order of `Outcome`.
pub(super) fn counted<N: Into<i64>>(counts: [N; 5]) -> OutcomeCounts {
    let [up, degraded, down, missed, error] = counts.map(|count| count.into().unsigned_abs());
    OutcomeCounts {
        up,
        degraded,
        down,
        missed,
        error,
    }
}

fn statistics(phase: &Durations) -> Option<Statistics> {
    Statistics::of(&phase.histogram, phase.sum_us, phase.range_us?)
}

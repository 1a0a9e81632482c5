//! What the rows of one site and region come to.

use chrono::{DateTime, Utc};
use monitor_core::Outcome;

use crate::checks::batch::Row;

/// What is kept of a number of rows of one site and region.
#[derive(Debug)]
pub(super) struct Summary<'a> {
    /// The latest row.
    pub(super) latest: Row<'a>,
    /// How the site was; absent when no row tells.
    pub(super) verdict: Option<Verdict>,
    /// The latest certificate of a check with a verdict: when it was seen, and when it ends.
    pub(super) certificate: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// How a site was, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) last: Outcome,
    pub(super) last_at: DateTime<Utc>,
    /// The first verdict after which none was to the contrary.
    pub(super) since: DateTime<Utc>,
    /// The last verdict to the contrary.
    pub(super) other_at: Option<DateTime<Utc>>,
}

/// One summary for each site and region, of rows in the order of their key.
pub(super) fn summaries<'a>(rows: &[Row<'a>]) -> impl Iterator<Item = Summary<'a>> {
    let of_one = |one: &Row<'_>, next: &Row<'_>| {
        (one.site_id, one.region_id) == (next.site_id, next.region_id)
    };
    rows.chunk_by(of_one).filter_map(summary)
}

fn summary<'a>(rows: &[Row<'a>]) -> Option<Summary<'a>> {
    let mut summary = Summary {
        latest: *rows.last()?,
        verdict: None,
        certificate: None,
    };
    for row in rows {
        if row.event.outcome.is_verdict() {
            let (outcome, at) = (row.event.outcome, row.scheduled_at);
            summary.verdict = Some(Verdict::after(summary.verdict, outcome, at));
            if let Some(not_after) = row.event.cert_not_after {
                summary.certificate = Some((at, not_after));
            }
        }
    }
    Some(summary)
}

impl Verdict {
    /// The verdict after one more check, later than those before.
    fn after(before: Option<Self>, outcome: Outcome, at: DateTime<Utc>) -> Self {
        let mut verdict = Self {
            last: outcome,
            last_at: at,
            since: at,
            other_at: None,
        };
        match before {
            Some(before) if before.last.is_success() == outcome.is_success() => {
                verdict.since = before.since;
                verdict.other_at = before.other_at;
            }
            Some(before) => verdict.other_at = Some(before.last_at),
            None => {}
        }
        verdict
    }
}

//! What the checks of hours came to that are not closed: check by check, but only of those sites of which
//! any were stored since the last answer.
//!
//! Whoever stores checks writes the state of their site and region in the same transaction, whatever the
//! checks say. So as long as that row is of the same transaction, nothing was stored.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use monitor_core::metric::OutcomeCounts;
use sqlx::PgConnection;

use super::states::Version;
use super::sum::{Packed, Sum};
use crate::error::StoreError;
use crate::metrics::plan::Span;

/// From more than this part of the sites on, their checks are read as they lie in the table.
const MANY: usize = 4;

/// The checks of a site, counted.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) site_id: i64,
    pub(super) up: i64,
    pub(super) degraded: i64,
    pub(super) down: i64,
    pub(super) missed: i64,
    pub(super) error: i64,
    /// How long each available check took.
    pub(super) totals_us: Option<Vec<i32>>,
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
            $crate::metrics::overview::open::Tally,
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
pub(super) use tallies;

/// What was read of hours that are not closed.
#[derive(Debug, Default)]
pub(super) struct KeptOpen {
    from: DateTime<Utc>,
    sites: HashMap<i64, Seen>,
}

#[derive(Debug)]
struct Seen {
    /// Up to when its checks were counted.
    to: DateTime<Utc>,
    versions: Vec<Version>,
    sum: Packed,
}

impl Seen {
    /// Whether that is what the checks up to `to` come to.
    fn is_right(&self, versions: &[Version], to: DateTime<Utc>) -> bool {
        let end = self.to.min(to);
        let all_before = || versions.iter().all(|version| version.latest_at < end);
        self.versions == versions && (self.to == to || all_before())
    }
}

impl KeptOpen {
    /// Brings it to what the checks of the span come to, at the moment that the connection sees.
    pub(super) async fn read(
        &mut self,
        connection: &mut PgConnection,
        span: &Span,
        versions: &mut HashMap<i64, Vec<Version>>,
    ) -> Result<(), StoreError> {
        if self.from != span.from {
            self.from = span.from;
            self.sites.clear();
        }
        self.sites.retain(|site, _| versions.contains_key(site));
        let all = versions.len();
        versions.retain(|site, versions| {
            let seen = self.sites.get(site);
            seen.is_none_or(|seen| !seen.is_right(versions, span.to))
        });
        let tallies = if versions.len() > all / MANY {
            tallies_of_all(connection, span).await?
        } else {
            tallies_of(connection, span, versions).await?
        };
        let mut sums: HashMap<i64, Sum> = HashMap::new();
        for tally in tallies {
            if versions.contains_key(&tally.site_id) {
                tally.add_to(sums.entry(tally.site_id).or_default());
            }
        }
        for (site, versions) in versions.drain() {
            let sum = sums.remove(&site).unwrap_or_default().pack();
            let to = span.to;
            self.sites.insert(site, Seen { to, versions, sum });
        }
        Ok(())
    }

    /// What they came to for a site.
    pub(super) fn of(&self, site: i64) -> Option<&Packed> {
        self.sites.get(&site).map(|seen| &seen.sum)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.sites.clear();
    }
}

async fn tallies_of_all(
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

/// Of these sites.
async fn tallies_of(
    connection: &mut PgConnection,
    span: &Span,
    versions: &HashMap<i64, Vec<Version>>,
) -> Result<Vec<Tally>, StoreError> {
    let (mut site_ids, mut region_ids) = (Vec::new(), Vec::new());
    for (site, versions) in versions {
        for version in versions {
            site_ids.push(*site);
            region_ids.push(version.region_id);
        }
    }
    if site_ids.is_empty() {
        return Ok(Vec::new());
    }
    tallies!(
        "overview.checks_of_sites",
        "FROM unnest($1::BIGINT[], $2::SMALLINT[]) AS key (site_id, region_id)
        JOIN check_results USING (site_id, region_id)
        WHERE scheduled_at >= $3 AND scheduled_at < $4",
        &site_ids,
        &region_ids,
        span.from,
        span.to,
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing("cannot read checks"))
}

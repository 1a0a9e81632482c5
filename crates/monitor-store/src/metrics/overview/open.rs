//! What the checks of hours came to that are not closed: check by check, but only of those sites of which
//! any were stored since the last answer.
//!
//! Whoever stores checks writes the state of their site and region in the same transaction, whatever the
//! checks say. So as long as that row is of the same transaction, nothing was stored. They also leave a note
//! of the slots of what they have stored (`stored_batches`), so what is before all that was noted since is as it
//! was: of a site with new checks, only the last minutes are read.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use super::fleet::{KeptFleet, MonitoredSite};
use super::sum::{Packed, Sum};
use crate::error::StoreError;
use crate::metrics::merge::counted;
use crate::metrics::plan::{Moments, Span};
use crate::metrics::snapshot;
use crate::region_states::ToldState;

/// From more than this part of the sites on, their checks are read as they lie in the table.
const MANY: usize = 24;
/// Later than that few checks are stored, so what is before is not read again each time.
const SETTLING: TimeDelta = TimeDelta::minutes(2);

/// The checks of a site, counted.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) site_id: i64,
    /// Which checks of the site.
    pub(super) is_settled: bool,
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
        sum.outcomes += counted([self.up, self.degraded, self.down, self.missed, self.error]);
        for total_us in self.totals_us.iter().flatten() {
            sum.total.record(total_us.unsigned_abs());
        }
    }
}

/// The query for [`Tally`]s: its name, which checks are settled, from where, and the parameters.
macro_rules! tallies {
    ($name:literal, $is_settled:literal, $from:literal, $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            $crate::metrics::overview::open::Tally,
            "-- " + $name + r#"
            SELECT
                site_id AS "site_id!",
                "# + $is_settled + r#" AS "is_settled!",
                count(*) FILTER (WHERE outcome = 'up') AS "up!",
                count(*) FILTER (WHERE outcome = 'degraded') AS "degraded!",
                count(*) FILTER (WHERE outcome = 'down') AS "down!",
                count(*) FILTER (WHERE outcome = 'missed') AS "missed!",
                count(*) FILTER (WHERE outcome = 'error') AS "error!",
                array_agg(total_us) FILTER (
                    WHERE (outcome = 'up' OR outcome = 'degraded') AND total_us IS NOT NULL
                ) AS totals_us
            "# + $from + "\nGROUP BY 1, 2",
            $($parameter),+
        )
    };
}
pub(super) use tallies;

/// What was read of hours that are not closed.
#[derive(Debug, Default)]
pub(super) struct KeptOpen {
    from: DateTime<Utc>,
    sites: HashMap<i64, Counted>,
    /// How many were counted so far.
    serial: u64,
}

/// What the checks of a site came to.
#[derive(Debug)]
pub(super) struct Counted {
    /// Tells this count from all others.
    pub(super) serial: u64,
    pub(super) sum: Packed,
    /// Up to when its checks were counted.
    to: DateTime<Utc>,
    /// The part of the sum that is of checks before `settled_to`.
    settled: Packed,
    settled_to: DateTime<Utc>,
    versions: Vec<Version>,
}

/// Which state of a site in a region this is, and up to when there are checks.
#[derive(Debug)]
struct Version {
    region_id: i16,
    transaction: i64,
    latest_at: DateTime<Utc>,
}

impl PartialEq<ToldState> for Version {
    fn eq(&self, told: &ToldState) -> bool {
        self.region_id == told.region_id
            && self.transaction == told.transaction
            && self.latest_at == told.latest_at()
    }
}

impl From<&ToldState> for Version {
    fn from(told: &ToldState) -> Self {
        Self {
            region_id: told.region_id,
            transaction: told.transaction,
            latest_at: told.latest_at(),
        }
    }
}

impl Counted {
    /// Whether what came before is still what it was, and does not reach beyond `to`.
    fn is_settled(&self, to: DateTime<Utc>, fleet: &KeptFleet) -> bool {
        self.settled_to <= to.min(fleet.unchanged_to())
    }

    /// Whether that is what the checks up to `to` come to.
    fn is_right(&self, states: &[ToldState], to: DateTime<Utc>) -> bool {
        let end = self.to.min(to);
        let all_before = || self.versions.iter().all(|version| version.latest_at < end);
        self.versions == states && (self.to == to || all_before())
    }
}

impl KeptOpen {
    /// Brings it to what the checks of the span come to, at the moment that the connection sees, which is
    /// the one that the fleet is of.
    pub(super) async fn refresh(
        &mut self,
        connection: &mut PgConnection,
        span: &Span,
        fleet: &KeptFleet,
    ) -> Result<(), StoreError> {
        if self.from != span.from {
            self.from = span.from;
            self.sites.clear();
        }
        let settled_to = (span.to - SETTLING).max(span.from);
        let mut wrong = HashMap::new();
        for site in fleet.sites().map(MonitoredSite::id) {
            let counted = self.sites.get(&site);
            let states = fleet.states(site);
            if counted.is_none_or(|counted| !counted.is_right(states, span.to)) {
                let settled = counted.filter(|counted| counted.is_settled(settled_to, fleet));
                wrong.insert(
                    site,
                    settled.map_or(span.from, |counted| counted.settled_to),
                );
            }
        }
        let tallies = read(connection, &wrong, span, settled_to, fleet).await?;
        let mut sums: HashMap<i64, [Sum; 2]> = HashMap::new();
        for tally in tallies {
            let [settled, rest] = sums.entry(tally.site_id).or_default();
            tally.add_to(if tally.is_settled { settled } else { rest });
        }
        for (site, from) in wrong {
            let [mut settled, mut sum] = sums.remove(&site).unwrap_or_default();
            if let Some(counted) = self.sites.get(&site)
                && from > span.from
            {
                counted.settled.add_to(&mut settled)?;
            }
            let settled = settled.pack();
            settled.add_to(&mut sum)?;
            self.serial += 1;
            let counted = Counted {
                serial: self.serial,
                sum: sum.pack(),
                to: span.to,
                settled,
                settled_to,
                versions: fleet.states(site).iter().map(Version::from).collect(),
            };
            self.sites.insert(site, counted);
        }
        Ok(())
    }

    /// What they came to for a site.
    pub(super) fn of(&self, site: i64) -> Option<&Counted> {
        self.sites.get(&site)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.sites.clear();
    }
}

/// Whose checks are read, and from when on, as columns.
#[derive(Default)]
struct Keys {
    site_ids: Vec<i64>,
    region_ids: Vec<i16>,
    begins: Vec<DateTime<Utc>>,
}

/// Of each of these sites, from then on.
async fn read(
    connection: &mut PgConnection,
    froms: &HashMap<i64, DateTime<Utc>>,
    span: &Span,
    settled_to: DateTime<Utc>,
    fleet: &KeptFleet,
) -> Result<Vec<Tally>, StoreError> {
    let mut keys = Keys::default();
    for (site, from) in froms {
        for state in fleet.states(*site) {
            keys.site_ids.push(*site);
            keys.region_ids.push(state.region_id);
            keys.begins.push(*from);
        }
    }
    let Some(first) = keys.begins.iter().min() else {
        return Ok(Vec::new());
    };
    let range = (*first, span.to);
    let tallies = if froms.len() > fleet.len() / MANY {
        snapshot::read_many_new(connection).await?;
        as_they_lie(connection, &keys, range, settled_to).await
    } else {
        one_by_one(connection, &keys, range, settled_to).await
    };
    tallies.map_err(StoreError::doing("cannot read checks"))
}

async fn as_they_lie(
    connection: &mut PgConnection,
    keys: &Keys,
    (from, to): Moments,
    settled_to: DateTime<Utc>,
) -> Result<Vec<Tally>, sqlx::Error> {
    let tallies = tallies!(
        "overview.checks_of_many_sites",
        "scheduled_at < $6",
        "FROM unnest($1::BIGINT[], $2::SMALLINT[], $3::TIMESTAMPTZ[])
            AS key (site_id, region_id, first_at)
        JOIN check_results USING (site_id, region_id)
        WHERE scheduled_at >= first_at AND scheduled_at >= $4 AND scheduled_at < $5",
        &keys.site_ids,
        &keys.region_ids,
        &keys.begins,
        from,
        to,
        settled_to,
    );
    tallies.fetch_all(connection).await
}

/// Series by series: without `OFFSET` the planner is free to compare each check with each series, and may take
/// checks that are new for none.
async fn one_by_one(
    connection: &mut PgConnection,
    keys: &Keys,
    (from, to): Moments,
    settled_to: DateTime<Utc>,
) -> Result<Vec<Tally>, sqlx::Error> {
    let tallies = tallies!(
        "overview.checks_of_sites",
        "scheduled_at < $6",
        "FROM unnest($1::BIGINT[], $2::SMALLINT[], $3::TIMESTAMPTZ[])
            AS key (site_id, region_id, first_at)
        CROSS JOIN LATERAL (
            SELECT scheduled_at, outcome, total_us FROM check_results
            WHERE site_id = key.site_id AND region_id = key.region_id
                AND scheduled_at >= first_at AND scheduled_at >= $4 AND scheduled_at < $5
            OFFSET 0
        ) AS result",
        &keys.site_ids,
        &keys.region_ids,
        &keys.begins,
        from,
        to,
        settled_to,
    );
    tallies.fetch_all(connection).await
}

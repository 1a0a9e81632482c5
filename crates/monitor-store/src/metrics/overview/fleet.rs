//! What is monitored, and how it is: read once, and from then on only what has changed.
//!
//! Every row names the transaction that wrote it. What was written by one that had not ended when the last
//! answer was read is read again; what was deleted is missed by counting.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::SiteId;
use monitor_core::metric::{SiteOverview, SiteState};
use sqlx::PgConnection;

use super::figures::Figures;
use crate::error::StoreError;
use crate::region_states::{ToldState, select};

/// Longer than that nothing is kept: notes of what was stored are there for a day.
const LONGEST: TimeDelta = TimeDelta::hours(1);

/// All sites and their states, as of the last answer.
#[derive(Debug, Default)]
pub(super) struct KeptFleet {
    /// `None` while they are not complete.
    seen: Option<Seen>,
    sites: HashMap<i64, MonitoredSite>,
    by_name: Vec<i64>,
    /// By name of the region.
    states: HashMap<i64, Vec<ToldState>>,
    /// How many states there are of sites that are not monitored any more.
    others: i64,
    /// Checks of slots before it are those that there were at the answer before.
    unchanged_to: DateTime<Utc>,
}

/// A site, as far as an overview is concerned.
#[derive(Debug)]
pub(super) struct MonitoredSite {
    id: i64,
    name: String,
    url: String,
    tags: Vec<String>,
    enabled: bool,
    interval_ms: i64,
}

/// Of which moment of which server something is.
#[derive(Debug)]
struct Seen {
    server_started_at: DateTime<Utc>,
    /// By the server's clock.
    at: DateTime<Utc>,
    /// All transactions before it had ended.
    first_open: u64,
}

/// What there is at a moment.
struct Moment {
    seen: Seen,
    sites: i64,
    states: i64,
    has_changed_sites: bool,
    has_changed_states: bool,
    /// The first slot of what was stored since then, or shortly before.
    stored_from: Option<DateTime<Utc>>,
}

impl Moment {
    /// Whether what was seen then is known to be what there is, but for what has changed. Another server, or one
    /// that is behind, may have lost some of it.
    fn goes_on_from(&self, seen: &Seen) -> bool {
        self.seen.server_started_at == seen.server_started_at
            && self.seen.first_open >= seen.first_open
            && (seen.at..seen.at + LONGEST).contains(&self.seen.at)
    }
}

impl KeptFleet {
    /// Brings it to the moment that the connection sees.
    pub(super) async fn refresh(
        &mut self,
        connection: &mut PgConnection,
    ) -> Result<(), StoreError> {
        let seen = self.seen.take();
        let moment = moment(connection, seen.as_ref()).await?;
        let mut unchanged_to = DateTime::UNIX_EPOCH;
        if let Some(seen) = seen.filter(|seen| moment.goes_on_from(seen)) {
            unchanged_to = moment.stored_from.unwrap_or(DateTime::<Utc>::MAX_UTC);
            self.unchanged_to = unchanged_to;
            let since = Some(seen.first_open);
            let changed = if moment.has_changed_sites {
                self.read_sites(connection, since).await?
            } else {
                Vec::new()
            };
            if moment.has_changed_states || !changed.is_empty() {
                self.read_states(connection, since, &changed).await?;
            }
            if self.counted() == (moment.sites, moment.states) {
                self.seen = Some(moment.seen);
                return Ok(());
            }
        }
        *self = Self {
            unchanged_to,
            ..Self::default()
        };
        self.read_sites(connection, None).await?;
        self.read_states(connection, None, &[]).await?;
        self.others = moment.states - self.counted().1;
        self.seen = Some(moment.seen);
        Ok(())
    }

    /// How many sites and states there should be.
    fn counted(&self) -> (i64, i64) {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let states = self.states.values().map(Vec::len).sum();
        (count(self.sites.len()), count(states) + self.others)
    }

    /// Those that were written since, or all. Returns which those were.
    async fn read_sites(
        &mut self,
        connection: &mut PgConnection,
        since: Option<u64>,
    ) -> Result<Vec<i64>, StoreError> {
        let sites = sqlx::query_as!(
            MonitoredSite,
            r#"-- overview.sites
            SELECT
                id, name, split_part(url, '?', 1) AS "url!", tags, enabled,
                (date_part('epoch', interval) * 1000)::BIGINT AS "interval_ms!"
            FROM sites
            WHERE $1::TEXT IS NULL OR age(xmin) <= age($1::TEXT::XID8::XID)"#,
            since.map(|since| since.to_string()),
        )
        .fetch_all(connection)
        .await
        .map_err(StoreError::doing("cannot read sites"))?;
        let ids = sites.iter().map(|site| site.id).collect();
        self.sites
            .extend(sites.into_iter().map(|site| (site.id, site)));
        self.by_name = self.sites.keys().copied().collect();
        let name = |id: &i64| self.sites.get(id).map(|site| site.name.as_str());
        self.by_name
            .sort_unstable_by(|one, other| name(one).cmp(&name(other)));
        Ok(ids)
    }

    /// Those that were written since, and those of sites that were; or all.
    async fn read_states(
        &mut self,
        connection: &mut PgConnection,
        since: Option<u64>,
        sites: &[i64],
    ) -> Result<(), StoreError> {
        let rows = select!(
            "overview.states",
            "WHERE $1::TEXT IS NULL
                OR age(site_state.xmin) <= age($1::TEXT::XID8::XID)
                OR site_id = ANY ($2)",
            since.map(|since| since.to_string()),
            sites
        )
        .fetch_all(connection)
        .await
        .map_err(StoreError::doing("cannot read the state of sites"))?;
        for row in rows {
            let states = self.states.entry(row.site_id).or_default();
            let state = row.into_told()?;
            let region = |told: &ToldState| told.region().cmp(state.region());
            match states.binary_search_by(region) {
                Ok(known) => states[known] = state,
                Err(place) => states.insert(place, state),
            }
        }
        Ok(())
    }

    /// Every site, by name.
    pub(super) fn sites(&self) -> impl Iterator<Item = &MonitoredSite> {
        self.by_name.iter().filter_map(|id| self.sites.get(id))
    }

    /// Checks of slots before it are those that there were at the answer before.
    pub(super) fn unchanged_to(&self) -> DateTime<Utc> {
        self.unchanged_to
    }

    pub(super) fn len(&self) -> usize {
        self.sites.len()
    }

    /// How a site was seen from each region that it was ever checked from, by name.
    pub(super) fn states(&self, site: i64) -> &[ToldState] {
        self.states.get(&site).map_or(&[], Vec::as_slice)
    }

    /// What a site is at `now`.
    pub(super) fn tell(
        &self,
        site: &MonitoredSite,
        figures: &Figures,
        now: DateTime<Utc>,
    ) -> SiteOverview {
        let states = self.states(site.id).iter();
        let checked = states.filter(|told| told.is_checked);
        let mut overview = SiteOverview {
            site: SiteId(site.id),
            name: site.name.clone(),
            url: site.url.clone(),
            tags: site.tags.clone(),
            enabled: site.enabled,
            interval_ms: site.interval_ms.unsigned_abs(),
            state: SiteState::Unknown,
            since: None,
            regions: checked.map(|told| told.at(now)).collect(),
            outcomes: figures.outcomes,
            uptime: figures.outcomes.uptime(),
            coverage: figures.outcomes.coverage(),
            p50_us: figures.p50_us,
            p95_us: figures.p95_us,
        };
        overview.judge();
        overview
    }
}

impl MonitoredSite {
    pub(super) fn id(&self) -> i64 {
        self.id
    }
}

struct MomentRow {
    server_started_at: DateTime<Utc>,
    at: DateTime<Utc>,
    first_open: String,
    sites: i64,
    changed_sites: i64,
    states: i64,
    changed_states: i64,
    stored_from: Option<DateTime<Utc>>,
}

async fn moment(connection: &mut PgConnection, seen: Option<&Seen>) -> Result<Moment, StoreError> {
    let row = sqlx::query_as!(
        MomentRow,
        r#"-- overview.moment
        SELECT
            pg_postmaster_start_time() AS "server_started_at!",
            now() AS "at!",
            pg_snapshot_xmin(pg_current_snapshot())::TEXT AS "first_open!",
            sites.count AS "sites!", sites.changed AS "changed_sites!",
            states.count AS "states!", states.changed AS "changed_states!",
            (SELECT min(first_at) FROM stored_batches WHERE xid >= $1::TEXT::XID8) AS stored_from
        FROM (
            SELECT
                count(*),
                count(*) FILTER (WHERE age(xmin) <= age($1::TEXT::XID8::XID)) AS changed
            FROM sites
        ) AS sites, (
            SELECT
                count(*),
                count(*) FILTER (WHERE age(xmin) <= age($1::TEXT::XID8::XID)) AS changed
            FROM site_state
        ) AS states"#,
        seen.map(|seen| seen.first_open.to_string()),
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::doing("cannot ask what has changed"))?;
    let first_open = row.first_open.parse();
    let unreadable = |_| StoreError::Value(format!("the transaction {:?}", row.first_open));
    Ok(Moment {
        seen: Seen {
            server_started_at: row.server_started_at,
            at: row.at,
            first_open: first_open.map_err(unreadable)?,
        },
        sites: row.sites,
        states: row.states,
        has_changed_sites: row.changed_sites > 0,
        has_changed_states: row.changed_states > 0,
        stored_from: row.stored_from,
    })
}

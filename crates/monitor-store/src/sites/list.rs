//! Sites with their present state, a page at a time.

mod rows;

use chrono::{DateTime, Utc};
use monitor_core::SiteId;
use monitor_core::metric::{Judgement, RegionState, SiteState};
use sqlx::PgPool;

use super::row::SiteRow;
use super::{InvalidSite, StoredSite, states};
use crate::error::StoreError;
use crate::transaction;

/// Largest page, in sites.
const MAX_LIMIT: u32 = 1_000;

/// Which sites; what is `None` lets all through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteFilter {
    /// Those that have this tag.
    pub tag: Option<String>,
    /// Those that are so now.
    pub state: Option<SiteState>,
    /// Those whose name or URL contains this, in whatever case: of which letters, is up to the locale
    /// of the database, which may know no more than those of ASCII.
    pub text: Option<String>,
    /// Those that are, or are not, being checked.
    pub enabled: Option<bool>,
}

/// One page of a long list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SitePageRequest {
    limit: u32,
    after: Option<String>,
}

impl SitePageRequest {
    /// The first page of up to `limit` sites (1 to 1 000; what is outside is moved inside).
    #[must_use]
    pub fn first(limit: u32) -> Self {
        Self {
            limit: limit.clamp(1, MAX_LIMIT),
            after: None,
        }
    }

    /// The page after the site of that name, of the same size.
    #[must_use]
    pub fn after(&self, name: String) -> Self {
        Self {
            limit: self.limit,
            after: Some(name),
        }
    }
}

/// The sites of a page, and where the next one begins.
#[derive(Clone, Debug, PartialEq)]
pub struct SitePage {
    /// By name.
    pub sites: Vec<ListedSite>,
    /// The name that the next page begins after; `None` on the last page.
    pub next: Option<String>,
}

/// A site and how it is.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedSite {
    /// The site. A row that is not a valid one does not hide its neighbours.
    pub site: Result<StoredSite, InvalidSite>,
    /// How it is.
    pub now: Judgement,
}

/// What is rare is found otherwise than what is frequent: each statement gets a plan for its values.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; \
    SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL jit = off";

/// Sites by name with how they are at `now`, all as of one moment.
pub async fn list(
    pool: &PgPool,
    filter: &SiteFilter,
    page: &SitePageRequest,
    now: DateTime<Utc>,
) -> Result<SitePage, StoreError> {
    let doing = StoreError::doing;
    let mut transaction = transaction::begin(pool, BEGIN)
        .await
        .map_err(doing("cannot begin"))?;
    let mut rows = rows::read(&mut transaction, filter, page, now).await?;
    // One row more than asked for was read, to know whether there is a next page.
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| row.name.clone());
    let ids: Vec<_> = rows.iter().map(|row| SiteId(row.id)).collect();
    let states = states(&mut *transaction, &ids, now).await?;
    transaction
        .commit()
        .await
        .map_err(doing("cannot end reading"))?;
    Ok(SitePage {
        sites: rows.into_iter().map(|row| listed(row, &states)).collect(),
        next,
    })
}

/// `states` are in the order of the ids.
fn listed(row: SiteRow, states: &[(SiteId, RegionState)]) -> ListedSite {
    let id = SiteId(row.id);
    let first = states.partition_point(|(site, _)| *site < id);
    let own = states[first..].iter().take_while(|(site, _)| *site == id);
    let regions = own.map(|(_, state)| state.clone()).collect();
    ListedSite {
        now: Judgement::of(row.enabled, regions),
        site: row.into_stored(),
    }
}

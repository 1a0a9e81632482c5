//! Sites with their present state, a page at a time.

use monitor_core::SiteId;
use sqlx::{PgConnection, PgPool};

use super::row::{SiteRow, select};
use super::{Condition, InvalidSite, RegionState, StoredSite, states};
use crate::error::StoreError;

/// Largest page, in sites.
const MAX_LIMIT: u32 = 1_000;

/// Which sites; what is `None` lets all through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteFilter {
    /// Those that have this tag.
    pub tag: Option<String>,
    /// Those that are so now.
    pub condition: Option<Condition>,
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
    /// How it is in each region that it is checked from and has a result of, by region.
    pub states: Vec<RegionState>,
}

impl ListedSite {
    /// How the site is.
    #[must_use]
    pub fn condition(&self) -> Condition {
        Condition::of(&self.states)
    }
}

/// What is rare is found otherwise than what is frequent: each statement gets a plan for its values.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; \
    SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL jit = off";

/// Sites by name with their present state, all as of one moment.
pub async fn list(
    pool: &PgPool,
    filter: &SiteFilter,
    page: &SitePageRequest,
) -> Result<SitePage, StoreError> {
    let doing = StoreError::doing;
    let mut transaction = pool
        .begin_with(BEGIN)
        .await
        .map_err(doing("cannot begin"))?;
    let mut rows = rows(&mut transaction, filter, page).await?;
    // One row more than asked for was read, to know whether there is a next page.
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| row.name.clone());
    let ids: Vec<_> = rows.iter().map(|row| SiteId(row.id)).collect();
    let states = states(&mut *transaction, &ids).await?;
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
    ListedSite {
        states: own.map(|(_, state)| state.clone()).collect(),
        site: row.into_stored(),
    }
}

/// The state of a site is computed only where one of the two conditions before does not rule it out:
/// they read the states once, instead of once for each site.
async fn rows(
    connection: &mut PgConnection,
    filter: &SiteFilter,
    page: &SitePageRequest,
) -> Result<Vec<SiteRow>, StoreError> {
    select!(
        "sites.page",
        r#"WHERE name > $1
            AND ($2::BOOLEAN IS NULL OR enabled = $2)
            AND ($3::TEXT IS NULL OR $3 = ANY (tags))
            AND ($4::TEXT IS NULL
                OR strpos(lower(name), lower($4)) > 0
                OR strpos(lower(url), lower($4)) > 0)
            AND ($5::TEXT IS NULL OR $5 = 'pending' OR id IN (
                SELECT site_id FROM site_state WHERE last_verdict = nullif($5, 'pending')::outcome
            ))
            AND ($5::TEXT IS DISTINCT FROM 'pending' OR regions <> '{}' OR id NOT IN (
                SELECT site_id FROM site_state WHERE last_verdict IS NOT NULL
            ))
            AND ($5::TEXT IS NULL OR $5 = coalesce((
                SELECT max(last_verdict)::TEXT
                FROM site_state
                JOIN regions ON regions.id = region_id
                WHERE site_id = sites.id
                    AND (sites.regions = '{}' OR regions.name = ANY (sites.regions))
            ), 'pending'))
        ORDER BY name
        LIMIT $6"#,
        page.after.as_deref().unwrap_or_default(),
        filter.enabled,
        filter.tag,
        filter.text,
        filter.condition.map(<&str>::from),
        i64::from(page.limit) + 1
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing("cannot list sites"))
}

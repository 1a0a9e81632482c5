//! The monitored sites.

mod change;
mod import;
mod list;
mod row;
mod state;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use monitor_core::site::FieldProblem;
use monitor_core::{Site, SiteConfig, SiteId};
use sqlx::{PgExecutor, PgPool};

pub use self::change::{Change, create, delete, replace};
pub use self::import::{ChangedSite, ImportPlan, import, import_if_unchanged, plan_import};
pub use self::list::{ListedSite, SiteFilter, SitePage, SitePageRequest, list};
use self::row::SiteRow;
pub use self::state::{state, states};
use crate::error::StoreError;

/// A site with what the table knows besides.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSite {
    /// Its id and what to check.
    pub site: Site,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Grows with every change of the site, and with nothing else.
    pub version: i64,
}

/// A row that is not a valid site: somebody has changed it by hand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("site {id} {name:?} is not valid: {}", joined(problems))]
pub struct InvalidSite {
    /// Its id.
    pub id: SiteId,
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub problems: Vec<FieldProblem>,
}

fn joined(problems: &[FieldProblem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

/// A number that grows with every change of any site.
pub async fn revision(executor: impl PgExecutor<'_>) -> Result<i64, StoreError> {
    sqlx::query_scalar!(
        r#"-- sites.revision
        SELECT revision FROM sites_revision"#
    )
    .fetch_one(executor)
    .await
    .map_err(StoreError::doing("cannot read the revision of the sites"))
}

/// All sites by name. A row that is not a valid site does not hide the others.
pub async fn load<'e>(
    executor: impl PgExecutor<'e> + 'e,
) -> Result<Vec<Result<Site, InvalidSite>>, StoreError> {
    let mut sites = Vec::new();
    for_each(executor, |site| sites.push(site)).await?;
    Ok(sites)
}

/// The same one at a time, for whoever does not want to hold all of them.
pub async fn for_each<'e>(
    executor: impl PgExecutor<'e> + 'e,
    mut each: impl FnMut(Result<Site, InvalidSite>),
) -> Result<(), StoreError> {
    let mut rows = row::stream(executor);
    while let Some(row) = next(&mut rows).await? {
        each(row.into_site());
    }
    Ok(())
}

async fn next(
    rows: &mut BoxStream<'_, Result<SiteRow, sqlx::Error>>,
) -> Result<Option<SiteRow>, StoreError> {
    let row = rows.try_next().await;
    row.map_err(StoreError::doing("cannot read the sites"))
}

/// The sites that have a tag.
pub async fn tagged(executor: impl PgExecutor<'_>, tag: &str) -> Result<Vec<SiteId>, StoreError> {
    let ids = sqlx::query_scalar!(
        r#"-- sites.tagged
        SELECT id FROM sites WHERE $1 = ANY (tags) ORDER BY id"#,
        tag
    )
    .fetch_all(executor)
    .await
    .map_err(StoreError::doing("cannot list the sites of a tag"))?;
    Ok(ids.into_iter().map(SiteId).collect())
}

/// How many sites are being checked.
pub async fn count_enabled(executor: impl PgExecutor<'_>) -> Result<u64, StoreError> {
    let count = sqlx::query_scalar!(
        r#"-- sites.count_enabled
        SELECT count(*) AS "count!" FROM sites WHERE enabled"#
    )
    .fetch_one(executor)
    .await
    .map_err(StoreError::doing("cannot count the sites"))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// The id of the site of that name; `None` when there is none.
pub async fn find(executor: impl PgExecutor<'_>, name: &str) -> Result<Option<SiteId>, StoreError> {
    let id = sqlx::query_scalar!(
        r#"-- sites.find
        SELECT id FROM sites WHERE name = $1"#,
        name
    )
    .fetch_optional(executor)
    .await
    .map_err(StoreError::doing("cannot look for a site"))?;
    Ok(id.map(SiteId))
}

/// The site of that id; `None` when there is none.
pub async fn get(
    executor: impl PgExecutor<'_>,
    id: SiteId,
) -> Result<Option<Result<StoredSite, InvalidSite>>, StoreError> {
    Ok(row::get(executor, id).await?.map(SiteRow::into_stored))
}

/// Adds a site; its name must be new.
pub async fn add(pool: &PgPool, config: &SiteConfig) -> Result<SiteId, StoreError> {
    let stored = create(pool, config).await?.done();
    stored
        .map(|stored| stored.site.id)
        .ok_or_else(|| StoreError::Value(format!("there is already a site {:?}", config.name)))
}

/// Removes the site of that name, and returns its id; `None` when there is none. Its results stay.
pub async fn remove(
    executor: impl PgExecutor<'_>,
    name: &str,
) -> Result<Option<SiteId>, StoreError> {
    let id = sqlx::query_scalar!(
        r#"-- sites.remove
        DELETE FROM sites WHERE name = $1 RETURNING id"#,
        name
    )
    .fetch_optional(executor)
    .await
    .map_err(StoreError::doing("cannot remove a site"))?;
    Ok(id.map(SiteId))
}

//! How sites are now, in each region.

use chrono::{DateTime, Utc};
use monitor_core::SiteId;
use monitor_core::metric::{Judgement, RegionState};
use sqlx::{PgExecutor, PgPool};

use crate::error::StoreError;
use crate::region_states::select;

/// How the site of that id is at `now`; `None` when there is none.
pub async fn state(
    pool: &PgPool,
    id: SiteId,
    now: DateTime<Utc>,
) -> Result<Option<Judgement>, StoreError> {
    let enabled = sqlx::query_scalar!(
        r#"-- sites.is_enabled
        SELECT enabled FROM sites WHERE id = $1"#,
        id.0
    )
    .fetch_optional(pool)
    .await
    .map_err(StoreError::doing("cannot read whether a site is checked"))?;
    let Some(enabled) = enabled else {
        return Ok(None);
    };
    let states = states(pool, &[id], now).await?.into_iter();
    let regions = states.map(|(_, state)| state).collect();
    Ok(Some(Judgement::of(enabled, regions)))
}

/// How these sites are at `now`, site by site in the order of their ids, then by region. What was seen
/// in a region that a site is not checked from any more is left out, and so is a site that is gone.
pub async fn states(
    executor: impl PgExecutor<'_>,
    ids: &[SiteId],
    now: DateTime<Utc>,
) -> Result<Vec<(SiteId, RegionState)>, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows = select!(
        "sites.states",
        "WHERE site_id = ANY ($1) ORDER BY site_id, regions.name",
        &ids
    )
    .fetch_all(executor)
    .await
    .map_err(StoreError::doing("cannot read how sites are"))?;
    let checked = rows.into_iter().filter(|row| row.is_checked);
    checked
        .map(|row| Ok((SiteId(row.site_id), row.into_state(now)?)))
        .collect()
}

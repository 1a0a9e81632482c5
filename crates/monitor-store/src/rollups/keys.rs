//! Whose checks: pairs of site and region.

use std::ops::RangeInclusive;

use sqlx::PgConnection;

use crate::error::StoreError;

/// Most hours of a series in one transaction, unless they are of one hour: a second of work at the
/// very most, and a few megabytes.
pub(super) const MOST_AT_ONCE: usize = 1_000;

/// A site as checked from one region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Series {
    pub(crate) site_id: i64,
    pub(crate) region_id: i16,
}

/// Whose checks of an hour.
#[derive(Debug)]
pub(super) enum Whose {
    /// Of all these sites, in all regions.
    Sites(RangeInclusive<i64>),
    /// Of few series.
    Series(Keys),
}

/// A number of series, as columns.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    site_ids: Vec<i64>,
    region_ids: Vec<i16>,
}

impl Keys {
    pub(crate) fn site_ids(&self) -> &[i64] {
        &self.site_ids
    }

    pub(crate) fn region_ids(&self) -> &[i16] {
        &self.region_ids
    }

    pub(crate) fn len(&self) -> usize {
        self.site_ids.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Series> {
        let ids = self.site_ids.iter().zip(&self.region_ids);
        ids.map(|(site_id, region_id)| Series {
            site_id: *site_id,
            region_id: *region_id,
        })
    }

    pub(super) fn last(&self) -> Option<Series> {
        Some(Series {
            site_id: *self.site_ids.last()?,
            region_id: *self.region_ids.last()?,
        })
    }
}

impl FromIterator<Series> for Keys {
    fn from_iter<T: IntoIterator<Item = Series>>(all: T) -> Self {
        let (site_ids, region_ids) = all
            .into_iter()
            .map(|series| (series.site_id, series.region_id))
            .unzip();
        Self {
            site_ids,
            region_ids,
        }
    }
}

/// The next series after `after`, in order, at most so many. Every site and region that a check was ever stored of
/// has a state.
pub(super) async fn next(
    connection: &mut PgConnection,
    after: Option<Series>,
    most: usize,
) -> Result<Keys, StoreError> {
    let after = after.unwrap_or(Series {
        site_id: i64::MIN,
        region_id: i16::MIN,
    });
    let limit = i64::try_from(most.max(1)).unwrap_or(i64::MAX);
    let series = sqlx::query_as!(
        Series,
        r#"-- rollups.series
        SELECT site_id, region_id FROM site_state
        WHERE (site_id, region_id) > ($1, $2)
        ORDER BY site_id, region_id
        LIMIT $3"#,
        after.site_id,
        after.region_id,
        limit,
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing("cannot list the sites that were checked"))?;
    Ok(series.into_iter().collect())
}

/// The next sites after `after` that were checked, in order, at most about so many series; and how
/// many those are.
pub(super) async fn next_sites(
    connection: &mut PgConnection,
    after: Option<i64>,
    most: usize,
) -> Result<Option<(RangeInclusive<i64>, usize)>, StoreError> {
    let limit = i64::try_from(most.max(1)).unwrap_or(i64::MAX);
    let found = sqlx::query!(
        r#"-- rollups.sites
        SELECT min(site_id) AS first, max(site_id) AS last, count(*) AS "count!"
        FROM (
            SELECT site_id FROM site_state
            WHERE $1::BIGINT IS NULL OR site_id > $1
            ORDER BY site_id
            LIMIT $2
        ) AS sites"#,
        after,
        limit,
    )
    .fetch_one(connection)
    .await
    .map_err(StoreError::doing("cannot list the sites that were checked"))?;
    let count = usize::try_from(found.count).unwrap_or(usize::MAX);
    let sites = found.first.zip(found.last);
    Ok(sites.map(|(first, last)| (first..=last, count)))
}

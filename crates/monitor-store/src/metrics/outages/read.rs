//! Reading when regions saw sites down.
//!
//! A series is a sequence of verdicts. Up to where checks were dropped, those are of whole hours: down
//! when a check was, available when all were that tell anything. After that they are of single checks.
//! An outage is from the first verdict that is down to the first after it that is not.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use monitor_core::Region;
use monitor_core::metric::{Cause, Outage, Precision, RegionalOutage};
use sqlx::PgConnection;

use crate::error::StoreError;
use crate::rollups::Series;
use crate::stored_checks::{failure, region};

/// Spans of time of single series, as columns.
#[derive(Debug, Default)]
pub(super) struct Spans {
    site_ids: Vec<i64>,
    region_ids: Vec<i16>,
    froms: Vec<DateTime<Utc>>,
    tos: Vec<DateTime<Utc>>,
}

/// An outage as a region saw it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) site_id: i64,
    region_id: i16,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    /// Of its first check. Without a kind, that is gone.
    failure_kind: Option<String>,
    failure_phase: Option<String>,
    failure_detail: Option<String>,
    status_code: Option<i16>,
    suspect: Option<bool>,
}

impl Spans {
    pub(super) fn push(&mut self, series: Series, from: DateTime<Utc>, to: DateTime<Utc>) {
        self.site_ids.push(series.site_id);
        self.region_ids.push(series.region_id);
        self.froms.push(from);
        self.tos.push(to);
    }

    /// What begins with a check, in each span.
    pub(super) async fn begun(
        &self,
        connection: &mut PgConnection,
        final_to: DateTime<Utc>,
    ) -> Result<Vec<Found>, StoreError> {
        if self.tos.iter().all(|to| *to <= final_to) {
            return Ok(Vec::new());
        }
        sqlx::query_file_as!(
            Found,
            "src/metrics/outages/begun.sql",
            &self.site_ids,
            &self.region_ids,
            &self.froms,
            &self.tos,
            final_to,
        )
        .fetch_all(connection)
        .await
        .map_err(StoreError::doing("cannot read when sites were down"))
    }

    /// What begins with an hour, in each span.
    pub(super) async fn begun_hours(
        &self,
        connection: &mut PgConnection,
        final_to: DateTime<Utc>,
    ) -> Result<Vec<Found>, StoreError> {
        let first = self.froms.iter().min().copied().unwrap_or(final_to);
        let last = self.tos.iter().max().copied().unwrap_or(final_to);
        if first >= final_to {
            return Ok(Vec::new());
        }
        sqlx::query_file_as!(
            Found,
            "src/metrics/outages/begun_hours.sql",
            &self.site_ids,
            &self.region_ids,
            &self.froms,
            &self.tos,
            first,
            last.min(final_to),
            final_to,
        )
        .fetch_all(connection)
        .await
        .map_err(StoreError::doing(
            "cannot read in which hours sites were down",
        ))
    }

    /// What has begun before the begin of each span, and was not over just before it.
    pub(super) async fn lasting(
        &self,
        connection: &mut PgConnection,
        final_to: DateTime<Utc>,
    ) -> Result<Vec<Found>, StoreError> {
        if self.site_ids.is_empty() {
            return Ok(Vec::new());
        }
        sqlx::query_file_as!(
            Found,
            "src/metrics/outages/lasting.sql",
            &self.site_ids,
            &self.region_ids,
            &self.froms,
            final_to,
        )
        .fetch_all(connection)
        .await
        .map_err(StoreError::doing("cannot read which sites were down"))
    }
}

impl Found {
    pub(super) fn into_outage(
        self,
        regions: &BTreeMap<i16, Region>,
    ) -> Result<RegionalOutage, StoreError> {
        let region = regions
            .get(&self.region_id)
            .ok_or_else(|| StoreError::Value(format!("a check from region {}", self.region_id)))?;
        let (kind, phase) = (self.failure_kind.as_deref(), self.failure_phase.as_deref());
        let failure = failure(kind, phase, self.failure_detail)?;
        let cause = failure.map(|failure| Cause {
            region: region.clone(),
            failure,
            status_code: self.status_code.and_then(|code| code.try_into().ok()),
            suspect: self.suspect.unwrap_or_default(),
        });
        Ok(RegionalOutage {
            region: region.clone(),
            started_at: self.started_at,
            ended_at: self.ended_at,
            precision: if cause.is_some() {
                Precision::Check
            } else {
                Precision::Hour
            },
            cause,
        })
    }
}

struct Named {
    id: i16,
    name: String,
}

/// All that checks ever came from.
pub(super) async fn regions(
    connection: &mut PgConnection,
) -> Result<BTreeMap<i16, Region>, StoreError> {
    let rows = sqlx::query_as!(
        Named,
        r#"-- outages.regions
        SELECT id, name FROM regions"#
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing("cannot read regions"))?;
    let named = rows.into_iter();
    named.map(|row| Ok((row.id, region(&row.name)?))).collect()
}

/// Says whose the outages are.
pub(super) async fn names(
    connection: &mut PgConnection,
    outages: &mut [Outage],
) -> Result<(), StoreError> {
    let ids: Vec<_> = outages.iter().map(|outage| outage.site.0).collect();
    let rows = sqlx::query!(
        r#"-- outages.names
        SELECT id, name FROM sites WHERE id = ANY ($1)"#,
        &ids
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing("cannot read the names of sites"))?;
    let names: BTreeMap<_, _> = rows.into_iter().map(|row| (row.id, row.name)).collect();
    for outage in outages {
        outage.name = names.get(&outage.site.0).cloned();
    }
    Ok(())
}

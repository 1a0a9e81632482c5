//! Every slot has a row.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Utc};
use monitor_core::SiteId;
use monitor_core::slot::Slots;

use crate::world::World;

/// Fails unless every slot of every site has a row, a result or a missed one, from the first slot of
/// any site that has one up to `end`. Returns how many slots there are.
///
/// The sites must not have changed meanwhile, and whoever checks them must have dealt with all slots
/// up to `end`.
pub async fn every_slot_has_a_row(world: &World, end: DateTime<Utc>) -> anyhow::Result<usize> {
    let sites: Vec<(i64, i64)> =
        sqlx::query_as("SELECT id, (EXTRACT(EPOCH FROM interval) * 1000)::BIGINT FROM sites")
            .fetch_all(&world.database)
            .await?;
    let rows: Vec<(i64, DateTime<Utc>)> =
        sqlx::query_as("SELECT site_id, scheduled_at FROM checks JOIN sites ON sites.id = site_id")
            .fetch_all(&world.database)
            .await?;
    let first = rows.iter().map(|(_, at)| *at).min();
    let first = first.context("there are no rows")?;
    let rows: HashSet<(i64, DateTime<Utc>)> = rows.into_iter().collect();
    let (mut due, mut missing) = (0, Vec::new());
    for (site, interval) in sites {
        let interval = Duration::from_millis(interval.unsigned_abs());
        let slots = Slots::new(SiteId(site), interval);
        let mut at = slots.after(first);
        while at <= end {
            due += 1;
            if !rows.contains(&(site, at)) {
                missing.push((site, at));
            }
            at = slots.after(at);
        }
    }
    ensure!(
        missing.is_empty(),
        "{} of {due} slots from {first} to {end} have no row: {:?}",
        missing.len(),
        missing.iter().take(20).collect::<Vec<_>>()
    );
    Ok(due)
}

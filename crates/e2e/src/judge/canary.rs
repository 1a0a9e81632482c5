//! What is new arrives again.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use chrono::Utc;
use tokio::time::timeout;

use crate::wait::eventually;
use crate::world::World;

/// How long after the end of all faults a new result may take to become a row.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until a check that is due from now on is a row, for every site.
pub async fn canary(world: &World) -> anyhow::Result<()> {
    let now = Utc::now();
    let arriving = eventually("a new result of every site is stored", || async {
        let waiting: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM sites WHERE NOT EXISTS (SELECT FROM checks \
             WHERE site_id = sites.id AND scheduled_at > $1 AND started_at IS NOT NULL)",
        )
        .bind(now)
        .fetch_all(&world.database)
        .await?;
        ensure!(waiting.is_empty(), "none yet of {waiting:?}");
        Ok(Some(()))
    });
    let arrived = timeout(PATIENCE, arriving).await;
    arrived
        .with_context(|| format!("no new result within {PATIENCE:?} of the end of the faults"))?
}

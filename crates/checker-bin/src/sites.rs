//! The sites to check, followed as they change in the database.

use std::time::Duration;

use metrics::counter;
use monitor_runtime::{CancellationToken, Component};
use monitor_store::{Pool, StoreError, sites};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::compact::{CompactSite, Compactor};

/// How often to ask whether any site has changed.
const POLL: Duration = Duration::from_secs(2);

/// The sites as the database has them, and the revision that they were read at.
pub(crate) struct SiteList {
    pool: Pool,
    revision: i64,
}

impl SiteList {
    /// Reads all sites. A site that cannot be understood is logged and left out.
    pub(crate) async fn load(pool: Pool) -> Result<(Self, Vec<CompactSite>), StoreError> {
        let mut list = Self { pool, revision: 0 };
        let sites = list.read().await?;
        Ok((list, sites))
    }

    /// Sends the sites anew whenever they change. While the database is away, the sites that were
    /// read last are checked on.
    pub(crate) async fn follow(
        mut self,
        component: Component,
        changes: mpsc::Sender<Vec<CompactSite>>,
        stop: CancellationToken,
    ) -> anyhow::Result<()> {
        while stop.run_until_cancelled(sleep(POLL)).await.is_some() {
            match self.changed().await {
                Ok(sites) => {
                    component.ready();
                    let Some(sites) = sites else { continue };
                    if changes.send(sites).await.is_err() {
                        break;
                    }
                }
                Err(error) => {
                    let error = format!("cannot look for changed sites: {error}");
                    tracing::warn!("{error}; checking the sites as last read");
                    component.not_ready(error);
                }
            }
        }
        Ok(())
    }

    async fn changed(&mut self) -> Result<Option<Vec<CompactSite>>, StoreError> {
        if sites::revision(&self.pool).await? == self.revision {
            return Ok(None);
        }
        self.read().await.map(Some)
    }

    async fn read(&mut self) -> Result<Vec<CompactSite>, StoreError> {
        // Asked first, so that a change while reading is seen as one at the next look.
        self.revision = sites::revision(&self.pool).await?;
        let (mut compactor, mut all) = (Compactor::default(), Vec::new());
        sites::for_each(&self.pool, |site| match site {
            Ok(site) => all.push(compactor.compact(site)),
            Err(error) => {
                counter!("checker_invalid_sites_total").increment(1);
                tracing::error!("a site is not checked: {error}");
            }
        })
        .await?;
        Ok(all)
    }
}

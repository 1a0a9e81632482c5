//! What all handlers share.

use std::sync::Arc;

use monitor_core::SiteId;
use monitor_probe::Prober;
use monitor_runtime::CancellationToken;
use monitor_store::{MetricDataProvider, Pool, sites};
use tokio::sync::Semaphore;

use crate::auth::Access;
use crate::events::Events;
use crate::overview::Overviews;
use crate::problem::Problem;
use crate::status::StatusPages;

/// Most probes at the same time: each holds a connection to somewhere for as long as its site takes.
pub(crate) const PROBES: usize = 8;

/// A cheap handle to what all handlers share.
#[derive(Clone)]
pub(crate) struct Api(Arc<Shared>);

/// The parts.
pub(crate) struct Shared {
    /// Who may do what.
    pub(crate) access: Access,
    /// The database, for sites.
    pub(crate) pool: Pool,
    /// What is stored of checks.
    pub(crate) metrics: MetricDataProvider,
    /// Makes single checks.
    pub(crate) prober: Prober,
    /// Room for them.
    pub(crate) probes: Semaphore,
    /// How all sites are.
    pub(crate) overviews: Overviews,
    /// How the sites of chosen tags are, for everybody.
    pub(crate) status: StatusPages,
    /// Who follows what is stored.
    pub(crate) events: Events,
    /// Room for them.
    pub(crate) streams: Arc<Semaphore>,
    /// Cancelled when answers have to end.
    pub(crate) stop: CancellationToken,
    /// Most sites that `/metrics` tells of.
    pub(crate) metrics_max_sites: u32,
}

impl Api {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// Whether a site is monitored; a problem when not.
    pub(crate) async fn known(&self, id: SiteId) -> Result<(), Problem> {
        match sites::get(&self.pool, id).await? {
            Some(_) => Ok(()),
            None => Err(Problem::no_such_site()),
        }
    }
}

impl std::ops::Deref for Api {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

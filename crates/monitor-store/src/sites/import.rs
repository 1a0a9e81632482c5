//! Making a list of sites the monitored ones.

use std::collections::{HashMap, HashSet};

use monitor_core::SiteConfig;
use sqlx::{PgConnection, PgPool};

use super::change::{begin, commit};
use super::row;
use crate::error::StoreError;

/// What an import does, or would do: the names of the sites.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportPlan {
    /// Sites that were not there.
    pub added: Vec<String>,
    /// Sites that are different now. They keep their ids, and with them their history.
    pub changed: Vec<String>,
    /// Sites that are as they should be.
    pub unchanged: Vec<String>,
    /// Sites that are not in the list.
    pub removed: Vec<String>,
}

/// What an import would do, without doing it.
pub async fn plan_import(
    pool: &PgPool,
    configs: &[SiteConfig],
    prune: bool,
) -> Result<ImportPlan, StoreError> {
    let mut connection = pool
        .acquire()
        .await
        .map_err(StoreError::doing("cannot connect"))?;
    plan(&mut connection, configs, prune).await
}

/// Makes `configs` the monitored sites, by name, in one transaction. With `prune`, others are
/// removed. To import the same list again changes nothing.
pub async fn import(
    pool: &PgPool,
    configs: &[SiteConfig],
    prune: bool,
) -> Result<ImportPlan, StoreError> {
    let mut transaction = begin(pool).await?;
    let plan = plan(&mut transaction, configs, prune).await?;
    let unchanged: HashSet<_> = plan.unchanged.iter().collect();
    let written: Vec<_> = configs
        .iter()
        .filter(|config| !unchanged.contains(&config.name))
        .collect();
    if !written.is_empty() {
        row::upsert(&mut *transaction, &written).await?;
    }
    for name in &plan.removed {
        super::remove(&mut *transaction, name).await?;
    }
    commit(transaction).await?;
    Ok(plan)
}

async fn plan(
    connection: &mut PgConnection,
    configs: &[SiteConfig],
    prune: bool,
) -> Result<ImportPlan, StoreError> {
    // A row that is not valid is there, but equal to nothing.
    let mut stored: HashMap<String, Option<SiteConfig>> = HashMap::new();
    super::for_each(connection, |site| {
        let (name, config) = match site {
            Ok(site) => (site.config.name.clone(), Some(site.config)),
            Err(invalid) => (invalid.name, None),
        };
        stored.insert(name, config);
    })
    .await?;
    let mut plan = ImportPlan::default();
    for config in configs {
        let list = match stored.get(&config.name) {
            None => &mut plan.added,
            Some(Some(same)) if same == config => &mut plan.unchanged,
            Some(_) => &mut plan.changed,
        };
        list.push(config.name.clone());
    }
    if prune {
        let listed: HashSet<_> = configs.iter().map(|config| &config.name).collect();
        plan.removed = stored
            .into_keys()
            .filter(|name| !listed.contains(name))
            .collect();
        plan.removed.sort();
    }
    Ok(plan)
}

//! Making a list of sites the monitored ones.

use std::collections::{HashMap, HashSet};

use monitor_core::SiteConfig;
use monitor_core::site::{FIELDS, FieldProblem};
use sqlx::{PgConnection, PgPool};

use super::change::{Change, begin, commit};
use super::{InvalidSite, revision, row};
use crate::error::StoreError;

/// What an import does, or would do: the names of the sites.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportPlan {
    /// The revision of the sites that it was made for.
    pub revision: i64,
    /// Sites that were not there.
    pub added: Vec<String>,
    /// Sites that are different now. They keep their ids, and with them their history.
    pub changed: Vec<ChangedSite>,
    /// Sites that are as they should be.
    pub unchanged: Vec<String>,
    /// Sites that are not in the list.
    pub removed: Vec<String>,
}

/// A site that an import makes another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedSite {
    /// Its name.
    pub name: String,
    /// The fields that change; of a row that is not valid, those that are wrong with it.
    pub fields: Vec<String>,
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
    let done = import_if_unchanged(pool, configs, prune, None)
        .await?
        .done();
    done.ok_or_else(|| StoreError::Value("an import of anything was refused".to_owned()))
}

/// The same, if the sites are in the revision `expected`.
pub async fn import_if_unchanged(
    pool: &PgPool,
    configs: &[SiteConfig],
    prune: bool,
    expected: Option<i64>,
) -> Result<Change<ImportPlan>, StoreError> {
    let mut transaction = begin(pool).await?;
    let plan = plan(&mut transaction, configs, prune).await?;
    if expected.is_some_and(|expected| expected != plan.revision) {
        let version = plan.revision;
        return Ok(Change::Conflict { version });
    }
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
    Ok(Change::Done(plan))
}

async fn plan(
    connection: &mut PgConnection,
    configs: &[SiteConfig],
    prune: bool,
) -> Result<ImportPlan, StoreError> {
    // Before the sites are: what changes in between is taken for a change after it.
    let revision = revision(&mut *connection).await?;
    let mut stored: HashMap<String, Result<SiteConfig, InvalidSite>> = HashMap::new();
    super::for_each(connection, |site| {
        let name = match &site {
            Ok(site) => site.config.name.clone(),
            Err(invalid) => invalid.name.clone(),
        };
        stored.insert(name, site.map(|site| site.config));
    })
    .await?;
    let mut plan = ImportPlan {
        revision,
        ..ImportPlan::default()
    };
    for config in configs {
        let name = config.name.clone();
        match stored.get(&name) {
            None => plan.added.push(name),
            Some(Ok(same)) if same == config => plan.unchanged.push(name),
            Some(before) => plan.changed.push(ChangedSite {
                name,
                fields: changed_fields(before.as_ref(), config),
            }),
        }
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

/// The fields in which a site differs from what is stored. A row that is not valid is equal to nothing.
fn changed_fields(before: Result<&SiteConfig, &InvalidSite>, after: &SiteConfig) -> Vec<String> {
    let before = match before {
        Ok(before) => before.to_json(),
        Err(invalid) => {
            let fields = invalid.problems.iter();
            return fields
                .map(|FieldProblem { field, .. }| field.clone())
                .collect();
        }
    };
    let after = after.to_json();
    let differs = |field: &&&str| before.get(**field) != after.get(**field);
    FIELDS
        .iter()
        .filter(differs)
        .map(ToString::to_string)
        .collect()
}

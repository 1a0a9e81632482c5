//! A site file, and what an import of it comes to.

use monitor_store::ImportPlan;
use monitor_store::sites::ChangedSite;
use schemars::JsonSchema;
use serde::Serialize;

use super::SiteDocument;

/// Most sites of each list.
const MOST_LISTED: usize = 1_000;

/// A list of sites, as it is documented. Reading is for `SiteFile` alone.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SiteFile", deny_unknown_fields)]
pub(crate) struct SiteFileDocument {
    /// The sites. Names are unique: an import knows a site by its name.
    sites: Vec<SiteDocument>,
}

/// What an import does to each site, or would do. Lists have at most 1000 sites each; `counts` are of
/// all.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Import {
    /// Whether it was done. Otherwise nothing was changed.
    applied: bool,
    /// What the sites were when it was planned. `If-Match` takes it as it is, with its quotes.
    version: String,
    /// How many sites there are of each kind.
    counts: ImportCounts,
    /// Names of sites that were not there.
    created: Vec<String>,
    /// Sites that become different. They keep their ids and their history.
    updated: Vec<UpdatedSite>,
    /// Names of sites that are as they should be.
    unchanged: Vec<String>,
    /// Names of sites that are not in the file, and are to be removed. Their results stay.
    removed: Vec<String>,
}

/// How many sites there are of each kind.
#[derive(Debug, Serialize, JsonSchema)]
struct ImportCounts {
    /// Those that were not there.
    created: usize,
    /// Those that become different.
    updated: usize,
    /// Those that are as they should be.
    unchanged: usize,
    /// Those that are to be removed.
    removed: usize,
}

/// A site that becomes different.
#[derive(Debug, Serialize, JsonSchema)]
struct UpdatedSite {
    /// Its name.
    name: String,
    /// The fields that change. Of one that somebody has made invalid in the database: those that are
    /// wrong.
    fields: Vec<String>,
}

impl Import {
    pub(crate) fn new(plan: ImportPlan, version: &str, applied: bool) -> Self {
        let ImportPlan {
            revision: _,
            mut added,
            mut changed,
            mut unchanged,
            mut removed,
        } = plan;
        let counts = ImportCounts {
            created: added.len(),
            updated: changed.len(),
            unchanged: unchanged.len(),
            removed: removed.len(),
        };
        changed.truncate(MOST_LISTED);
        for names in [&mut added, &mut unchanged, &mut removed] {
            names.truncate(MOST_LISTED);
        }
        let updated = |ChangedSite { name, fields }| UpdatedSite { name, fields };
        Self {
            applied,
            version: version.to_owned(),
            counts,
            created: added,
            updated: changed.into_iter().map(updated).collect(),
            unchanged,
            removed,
        }
    }
}

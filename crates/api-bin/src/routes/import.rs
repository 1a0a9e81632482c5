//! Many sites at once: a site file made what is monitored.

use aide::axum::ApiRouter;
use aide::axum::routing::post_with;
use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use monitor_store::sites::{self, Change};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::auth::Writer;
use crate::etag::{self, IfMatch};
use crate::extract::{MAX_SITE_FILE, Query, SiteFileBody};
use crate::problem::{Kind, Problem};
use crate::state::Api;
use crate::wire::Import;

/// What is done with the file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ImportQuery {
    /// Only say what would be done.
    #[serde(default = "yes")]
    dry_run: bool,
    /// Also remove the sites that are not in the file.
    #[serde(default)]
    prune: bool,
}

fn yes() -> bool {
    true
}

pub(super) fn routes() -> ApiRouter<Api> {
    ApiRouter::new().api_route(
        "/api/v1/sites/import",
        post_with(import, |operation| {
            operation
                .id("importSites")
                .summary("Say what importing a site file would do, or do it.")
                .description(
                    "Sites are known by their names. With `dry_run=false` all is done, or nothing; with \
                     `If-Match` only when no site was changed since the plan of that `version`. To import \
                     the same file again changes nothing.",
                )
                .tag("sites")
        })
        .layer(DefaultBodyLimit::max(MAX_SITE_FILE)),
    )
}

async fn import(
    _: Writer,
    State(api): State<Api>,
    Query(ImportQuery { dry_run, prune }): Query<ImportQuery>,
    IfMatch(expected): IfMatch,
    SiteFileBody(configs): SiteFileBody,
) -> Result<Json<Import>, Problem> {
    let change = if dry_run {
        let plan = sites::plan_import(&api.pool, &configs, prune).await?;
        match plan.revision {
            version if expected.is_some_and(|expected| expected != version) => {
                Change::Conflict { version }
            }
            _ => Change::Done(plan),
        }
    } else {
        sites::import_if_unchanged(&api.pool, &configs, prune, expected).await?
    };
    let Some(plan) = change.done() else {
        let detail = "Sites were changed since this was planned: look at what it would do now.";
        return Err(Problem::new(Kind::VersionConflict, detail));
    };
    if !dry_run {
        let (added, changed) = (plan.added.len(), plan.changed.len());
        let removed = plan.removed.len();
        tracing::info!(
            sites.added = added,
            sites.changed = changed,
            sites.removed = removed,
            "sites imported"
        );
    }
    let version = etag::of_version(plan.revision);
    let version = version.to_str().unwrap_or_default();
    Ok(Json(Import::new(plan, version, !dry_run)))
}

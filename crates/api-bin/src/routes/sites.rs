//! What is monitored: one site at a time, and all of them in pages.

use aide::NoApi;
use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use chrono::Utc;
use monitor_core::metric::{Judgement, SiteState};
use monitor_core::{SiteConfig, SiteId};
use monitor_store::StoredSite;
use monitor_store::sites::{self, Change, SiteFilter, SitePageRequest};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::answer::{Created, NoContent};
use crate::auth::{Reader, Writer};
use crate::etag::{self, IfMatch, IfNoneMatch, Tagged};
use crate::extract::{Path, Query, SiteBody};
use crate::page::{Limit, Page};
use crate::problem::{Kind, Problem};
use crate::state::Api;
use crate::wire::{Listed, Shown, Stored, hidden_values};

/// Which site.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct SitePath {
    /// Its id.
    pub(super) id: SiteId,
}

/// Which sites.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SitesQuery {
    /// Only sites that have this tag.
    tag: Option<String>,
    /// Only sites that are so now.
    outcome: Option<SiteState>,
    /// Only sites whose name or URL contains this, in whatever case.
    q: Option<String>,
    /// Only sites that are, or are not, being checked.
    enabled: Option<bool>,
    /// Most sites of the page.
    #[serde(default)]
    limit: Limit<1_000>,
    /// Begin after the site of this name.
    after: Option<String>,
}

pub(super) fn routes() -> ApiRouter<Api> {
    const SITE: &str = "/api/v1/sites/{id}";
    ApiRouter::new()
        .api_route(
            "/api/v1/sites",
            get_with(list, |operation| {
                operation
                    .id("listSites")
                    .summary("The sites by name, with how they are.")
                    .tag("sites")
            })
            .post_with(create, |operation| {
                operation
                    .id("createSite")
                    .summary("Add a site.")
                    .description("A running checker follows within seconds.")
                    .tag("sites")
            }),
        )
        .api_route(
            SITE,
            get_with(show, |operation| {
                operation
                    .id("getSite")
                    .summary("A site, every field of it.")
                    .tag("sites")
            })
            .put_with(replace, |operation| {
                operation
                    .id("replaceSite")
                    .summary("Make a site another one; it keeps its id and its history.")
                    .description(
                        "Fields that are left out have their defaults. With `If-Match`, only the \
                         version that has this tag is replaced. To do it again changes nothing.",
                    )
                    .tag("sites")
            })
            .delete_with(delete, |operation| {
                operation
                    .id("deleteSite")
                    .summary("Remove a site; its results stay.")
                    .description("With `If-Match`, only the version that has this tag is removed.")
                    .tag("sites")
            }),
        )
        .api_route(
            "/api/v1/sites/{id}/state",
            get_with(state, |operation| {
                operation
                    .id("getSiteState")
                    .summary("How a site is now, region by region.")
                    .tag("sites")
            }),
        )
}

async fn list(
    reader: Reader,
    State(api): State<Api>,
    NoApi(uri): NoApi<Uri>,
    Query(query): Query<SitesQuery>,
) -> Result<Page<Listed>, Problem> {
    let filter = SiteFilter {
        tag: query.tag,
        state: query.outcome,
        text: query.q,
        enabled: query.enabled,
    };
    let page = SitePageRequest::first(query.limit.0);
    let page = match query.after {
        Some(name) => page.after(name),
        None => page,
    };
    let found = sites::list(&api.pool, &filter, &page, Utc::now()).await?;
    let shown = shown_to(&reader);
    let items = found
        .sites
        .into_iter()
        .map(|site| Listed::new(site, shown))
        .collect();
    Ok(Page::new(items, &uri, found.next.as_deref()))
}

async fn show(
    reader: Reader,
    State(api): State<Api>,
    Path(SitePath { id }): Path<SitePath>,
    known: IfNoneMatch,
) -> Result<Tagged<Json<Stored>>, Problem> {
    let stored = sites::get(&api.pool, id)
        .await?
        .ok_or_else(Problem::no_such_site)?;
    let stored = stored.map_err(|invalid| Problem::invalid_site(invalid.problems))?;
    let body = Json(Stored::new(&stored, shown_to(&reader)));
    Ok(Tagged::unless_known(
        &known,
        etag::of_version(stored.version),
        body,
    ))
}

async fn state(
    _: Reader,
    State(api): State<Api>,
    Path(SitePath { id }): Path<SitePath>,
) -> Result<Json<Judgement>, Problem> {
    let state = sites::state(&api.pool, id, Utc::now()).await?;
    state.map(Json).ok_or_else(Problem::no_such_site)
}

async fn create(
    _: Writer,
    State(api): State<Api>,
    SiteBody(fields): SiteBody,
) -> Result<Created<Tagged<Json<Stored>>>, Problem> {
    let config = valid(&fields)?;
    let stored = done(sites::create(&api.pool, &config).await?)?;
    let id = stored.site.id;
    tracing::info!(site.id = %id, site.name = config.name, "site added");
    Ok(Created {
        location: format!("/api/v1/sites/{id}"),
        body: answer(&stored),
    })
}

async fn replace(
    _: Writer,
    State(api): State<Api>,
    Path(SitePath { id }): Path<SitePath>,
    IfMatch(expected): IfMatch,
    SiteBody(fields): SiteBody,
) -> Result<Tagged<Json<Stored>>, Problem> {
    let config = valid(&fields)?;
    let changed = sites::replace(&api.pool, id, &config, expected).await?;
    let stored = done(changed)?;
    tracing::info!(site.id = %id, site.name = config.name, site.version = stored.version, "site replaced");
    Ok(answer(&stored))
}

async fn delete(
    _: Writer,
    State(api): State<Api>,
    Path(SitePath { id }): Path<SitePath>,
    IfMatch(expected): IfMatch,
) -> Result<NoContent, Problem> {
    done(sites::delete(&api.pool, id, expected).await?)?;
    tracing::info!(site.id = %id, "site removed");
    Ok(NoContent)
}

/// What may be stored.
fn valid(fields: &Map<String, Value>) -> Result<SiteConfig, Problem> {
    let hidden = hidden_values(fields);
    if !hidden.is_empty() {
        return Err(Problem::invalid_site(hidden));
    }
    SiteConfig::from_json(fields).map_err(Problem::invalid_site)
}

fn done<T>(change: Change<T>) -> Result<T, Problem> {
    match change {
        Change::Done(done) => Ok(done),
        Change::NotFound => Err(Problem::no_such_site()),
        Change::NameTaken(other) => {
            let detail = format!("The site {other} has this name; names are unique.");
            Err(Problem::new(Kind::NameTaken, detail))
        }
        Change::Conflict { version } => {
            let detail = format!(
                "It is in version {version} now: read it again, and change what you find there."
            );
            Err(Problem::new(Kind::VersionConflict, detail))
        }
    }
}

/// What the client has just written is no secret to it.
fn answer(stored: &StoredSite) -> Tagged<Json<Stored>> {
    let tag = etag::of_version(stored.version);
    Tagged::fresh(tag, Json(Stored::new(stored, Shown::Everything)))
}

fn shown_to(reader: &Reader) -> Shown {
    if reader.may_write {
        Shown::Everything
    } else {
        Shown::NoSecrets
    }
}

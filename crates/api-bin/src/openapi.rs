//! The OpenAPI document: made of the signatures of the handlers, and a page to read it.

use std::future::{Ready, ready};

use aide::axum::ApiRouter;
use aide::generate::extract_schemas;
use aide::openapi::{Components, Info, OpenApi, ReferenceOr, SecurityScheme, Tag};
use aide::redoc::Redoc;
use axum::Router;
use axum::body::Bytes;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::auth::SCHEME;
use crate::dashboard;
use crate::etag::{self, IfNoneMatch, Tagged};
use crate::routes;
use crate::state::Api;

/// Where the document is.
const DOCUMENT: &str = "/api/openapi.json";

/// The page that shows it brings its script along, and talks to nobody else.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
    connect-src 'self'; img-src 'self' data:; font-src data:; worker-src blob:; \
    frame-ancestors 'none'; base-uri 'none'";

/// The groups that operations are in, in the order in which people should read them.
const TAGS: &[(&str, &str)] = &[
    ("overview", "All sites at a glance."),
    (
        "sites",
        "What is monitored. A site has the same fields here as in a site file.",
    ),
    ("checks", "Single checks, stored or made now."),
    (
        "metrics",
        "What many checks came to. Counts are exact, percentiles within 2.5 %.",
    ),
    (
        "prometheus",
        "For Prometheus, with the names of blackbox_exporter.",
    ),
    ("badges", "Pictures for READMEs and status pages."),
];

/// What the document says first.
const ABOUT: &str = "Website availability: sites, checks, metrics.\n\n\
    Instants are RFC 3339; a range is `from ≤ t < to`. `missed` (not checked) and `error` (our own \
    trouble) are on neither side of uptime, and coverage says how much of the time is known. \
    What is not known is `null`, never 0 and never 1.\n\n\
    Errors are problem documents (RFC 9457). Long answers come in pages; each names the `next` one.";

/// The document as JSON, with a line break at its end.
#[must_use]
pub fn document() -> String {
    let (_, document) = generate();
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// All routes, with the document that describes them and the page to read it.
pub(crate) fn router(api: Api) -> Router {
    let (router, document) = generate();
    let text = serde_json::to_string(&document).unwrap_or_default();
    let html = Redoc::new(DOCUMENT).with_title("Aiven Monitor API").html();
    let json = constant(
        [(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        text,
    );
    let html = constant(
        [
            (
                CONTENT_TYPE,
                HeaderValue::from_static("text/html; charset=utf-8"),
            ),
            (
                CONTENT_SECURITY_POLICY,
                HeaderValue::from_static(DOCS_POLICY),
            ),
        ],
        html,
    );
    router
        .route(DOCUMENT, get(json))
        .route("/api/docs", get(html))
        .merge(dashboard::routes())
        .method_not_allowed_fallback(routes::not_that_way)
        .with_state(api)
}

fn generate() -> (Router<Api>, OpenApi) {
    extract_schemas(true);
    let mut document = OpenApi {
        info: Info {
            title: "Aiven Monitor".to_owned(),
            description: Some(ABOUT.to_owned()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Info::default()
        },
        tags: TAGS.iter().map(|(name, about)| tag(name, about)).collect(),
        components: Some(Components {
            security_schemes: [(SCHEME.to_owned(), ReferenceOr::Item(bearer()))]
                .into_iter()
                .collect(),
            ..Components::default()
        }),
        ..OpenApi::default()
    };
    let router: ApiRouter<Api> = routes::all();
    let router = router.finish_api(&mut document);
    (router, document)
}

fn tag(name: &str, about: &str) -> Tag {
    Tag {
        name: name.to_owned(),
        description: Some(about.to_owned()),
        ..Tag::default()
    }
}

fn bearer() -> SecurityScheme {
    SecurityScheme::Http {
        scheme: "bearer".to_owned(),
        bearer_format: None,
        description: Some("A token that `admin tokens create` has made.".to_owned()),
        extensions: [].into(),
    }
}

/// A handler of what is the same for everybody as long as this program lives.
fn constant<const N: usize>(
    headers: [(HeaderName, HeaderValue); N],
    body: String,
) -> impl Fn(IfNoneMatch) -> Ready<Response> + Clone + Send + Sync + 'static {
    let body = Bytes::from(body);
    let tag = etag::of_bytes(&body);
    move |known| {
        let answer = (headers.clone(), body.clone());
        ready(Tagged::unless_known(&known, tag.clone(), answer).into_response())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_in_the_documentation_for_people() {
        let documentation = include_str!("../../../docs/api.md");
        let (_, document) = generate();
        for path in document.paths.unwrap_or_default().paths.keys() {
            // Of a metric and of a badge, the last part stands apart.
            let (folder, name) = path.rsplit_once('/').unwrap();
            let apart = documentation.contains(&format!("{folder}/M`"))
                || documentation.contains(&format!("`{folder}/"));
            let told = documentation.contains(&format!("`{path}`"))
                || apart && documentation.contains(&format!("`{name}`"));
            assert!(
                told || documentation.contains(&format!(" {path}`")),
                "{path}"
            );
        }
    }

    #[test]
    fn the_document_in_the_repository_is_the_one_that_is_served() {
        let committed = include_str!("../openapi.json");
        assert!(
            committed == document(),
            "run `cargo run -p api-bin --example openapi > crates/api-bin/openapi.json` and commit it"
        );
    }
}

//! The dashboard: a page for browsers, built by `npm` and put into this program by `build.rs`.

use axum::Router;
use axum::extract::Path;
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::etag::{self, IfNoneMatch, Tagged};
use crate::problem::Problem;
use crate::routes;
use crate::state::Api;

/// Each file of the dashboard by its path; none when it was not built.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));

/// What is there instead.
const NOT_BUILT: &str = include_str!("dashboard/not_built.html");

/// The page loads what this program has, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'";

/// Names of assets change with what is in them.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// Paths under these are for programs, whatever they accept.
const FOR_PROGRAMS: [&str; 4] = ["/api", "/assets", "/badge", "/metrics"];

pub(crate) fn routes() -> Router<Api> {
    Router::new()
        .route("/", get(page))
        .route("/assets/{*name}", get(asset))
}

/// Whether somebody has opened a path in a browser. The page knows what is there.
pub(crate) fn is_for_page(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    let below = |folder: &str| {
        let rest = uri.path().strip_prefix(folder);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    is_built()
        && matches!(*method, Method::GET | Method::HEAD)
        && accepted.is_some_and(|types| types.contains("text/html"))
        && !FOR_PROGRAMS.iter().any(|folder| below(folder))
}

/// The page, or how to build it.
pub(crate) async fn page(known: IfNoneMatch) -> Response {
    let html = file("index.html").unwrap_or(NOT_BUILT.as_bytes());
    let headers = [
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    Tagged::unless_known(&known, etag::of_bytes(html), (headers, Html(html))).into_response()
}

async fn asset(Path(name): Path<String>) -> Result<Response, Problem> {
    let path = format!("assets/{name}");
    let Some(bytes) = file(&path) else {
        return Err(routes::nothing_at_this_path());
    };
    let headers: [(HeaderName, &str); 2] =
        [(CONTENT_TYPE, type_of(&path)), (CACHE_CONTROL, FOREVER)];
    Ok((StatusCode::OK, headers, bytes).into_response())
}

fn is_built() -> bool {
    !FILES.is_empty()
}

fn file(path: &str) -> Option<&'static [u8]> {
    let found = FILES.iter().find(|(name, _)| *name == path);
    found.map(|(_, bytes)| *bytes)
}

fn type_of(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "png" => "image/png",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_never_given_the_page() {
        let mut browser = HeaderMap::new();
        let accepted = "text/html,application/xhtml+xml,*/*;q=0.8";
        browser.insert(ACCEPT, HeaderValue::from_static(accepted));
        let asked = |path: &'static str, headers: &HeaderMap| {
            is_for_page(&Method::GET, &Uri::from_static(path), headers)
        };
        for path in [
            "/api",
            "/api/v1/nothing",
            "/assets/old.js",
            "/metrics",
            "/badge/1/x",
        ] {
            assert!(!asked(path, &browser), "{path}");
        }
        assert!(!asked("/sites/1", &HeaderMap::new()));
        assert!(!is_for_page(
            &Method::POST,
            &Uri::from_static("/sites/1"),
            &browser
        ));
        assert_eq!(asked("/sites/1", &browser), is_built());
        assert_eq!(asked("/apiary", &browser), is_built());
    }

    #[test]
    fn every_asset_has_a_type_that_browsers_take() {
        for (name, _) in FILES.iter().filter(|(name, _)| name.starts_with("assets/")) {
            assert_ne!(type_of(name), "application/octet-stream", "{name}");
        }
    }

    #[test]
    fn the_page_loads_nothing_from_elsewhere() {
        let page = file("index.html").unwrap_or(NOT_BUILT.as_bytes());
        let page = String::from_utf8_lossy(page);
        assert!(
            !page.contains("http://") && !page.contains("https://"),
            "{page}"
        );
        assert!(
            !page.contains("<style") && !page.contains("onload="),
            "{page}"
        );
    }
}

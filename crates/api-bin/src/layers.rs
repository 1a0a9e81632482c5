//! What is done for every request, around the handlers.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, ETAG, HOST, LINK, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::request_id::{
    MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::config::ApiSettings;
use crate::problem::{Kind, Problem};
use crate::state::Api;

/// Most bytes of a body: a site with its certificates.
const MAX_BODY: usize = 1 << 20;
/// The header that names a request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id of a request that is taken over from a client.
const MAX_REQUEST_ID: usize = 128;

/// The routes with everything around them: what is written first is innermost.
pub(crate) fn around(routes: Router, settings: &ApiSettings, api: &Api) -> Router {
    let timeout = settings.request_timeout;
    let mut routes = routes
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn(move |request, next| {
            in_time(timeout, request, next)
        }))
        .layer(from_fn_with_state(api.clone(), for_this_host))
        .layer(CatchPanicLayer::custom(|_| {
            Problem::new(Kind::Internal, "The server's log says what.").into_response()
        }))
        .layer(from_fn(tell_problems))
        .layer(CompressionLayer::new())
        .layer(SetResponseHeaderLayer::overriding(
            X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(SetResponseHeaderLayer::if_not_present(
            CACHE_CONTROL,
            HeaderValue::from_static("private, no-cache"),
        ));
    if !settings.cors_origins.is_empty() {
        routes = routes.layer(cors(&settings.cors_origins));
    }
    routes
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        .layer(from_fn(without_strange_ids))
        .layer(from_fn(counted))
}

fn cors(origins: &[HeaderValue]) -> CorsLayer {
    use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH};
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().cloned()))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH])
        .expose_headers([ETAG, LINK, RETRY_AFTER, REQUEST_ID])
        .max_age(Duration::from_hours(1))
}

/// An id that a client has chosen is for logs: one that is no plain word is forgotten.
async fn without_strange_ids(mut request: Request, next: Next) -> Response {
    let plain = |id: &HeaderValue| {
        id.len() <= MAX_REQUEST_ID && id.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    if request
        .headers()
        .get(REQUEST_ID)
        .is_some_and(|id| !plain(id))
    {
        request.headers_mut().remove(REQUEST_ID);
    }
    next.run(request).await
}

/// A request that takes too long is given up, with what it asked of the database.
async fn in_time(timeout: Duration, request: Request, next: Next) -> Response {
    if let Ok(response) = tokio::time::timeout(timeout, next.run(request)).await {
        return response;
    }
    let seconds = timeout.as_secs();
    let detail =
        format!("There was no answer within {seconds} s: ask for less, or try again later.");
    Problem::new(Kind::Timeout, detail).into_response()
}

/// Who needs no token is on this machine, but so is the browser of somebody who reads a web page: one
/// whose name leads here (DNS rebinding) is told by the host that it asks for.
async fn for_this_host(State(api): State<Api>, request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok());
    if !api.access.is_open() || host.is_some_and(is_this_machine) {
        return next.run(request).await;
    }
    let detail = "Without tokens, only localhost and loopback addresses are answered for.";
    Problem::new(Kind::Misdirected, detail).into_response()
}

fn is_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    let name = authority
        .host()
        .trim_start_matches('[')
        .trim_end_matches(']');
    let loopback = name
        .parse()
        .is_ok_and(|ip: std::net::IpAddr| ip.to_canonical().is_loopback());
    loopback || name.eq_ignore_ascii_case("localhost")
}

/// Writes the problem that a handler or layer has returned.
async fn tell_problems(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    problem.tell(id.as_ref().and_then(|id| id.header_value().to_str().ok()))
}

/// Counts and times requests by route, and logs them.
async fn counted(request: Request, next: Next) -> Response {
    let begin = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("none", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    let status = response.status();
    let elapsed = begin.elapsed();
    let labels = [
        ("method", name_of(&method).to_owned()),
        ("route", route),
        ("status", status.as_u16().to_string()),
    ];
    metrics::counter!("api_requests_total", &labels).increment(1);
    metrics::histogram!("api_request_duration_seconds", &labels[..2]).record(elapsed.as_secs_f64());
    let id = response
        .headers()
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok());
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::error!(http.method = %method, http.path = path, http.status = status.as_u16(), duration_us = micros, request.id = id, "answered");
    } else {
        tracing::debug!(http.method = %method, http.path = path, http.status = status.as_u16(), duration_us = micros, request.id = id, "answered");
    }
    response
}

/// Methods are labels: there are only so many.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_this_machine() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:80",
            "127.8.8.8",
            "[::1]:8080",
        ] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "",
            "example.com",
            "127.0.0.1.example.com",
            "0.0.0.0",
            "[::]:80",
            "localhost.example",
        ] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}

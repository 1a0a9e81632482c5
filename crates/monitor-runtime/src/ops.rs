//! What operators and orchestrators ask over HTTP: `/livez`, `/readyz`, `/metrics`.

mod process;

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::time::interval;

use crate::{CancellationToken, Readiness};

/// How often the samples of histograms are folded into their buckets when nobody scrapes.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The content type of the Prometheus text format.
const METRICS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers for one service.
#[derive(Debug, Clone)]
pub struct OpsServer {
    /// What `/readyz` reports.
    pub readiness: Readiness,
    /// Once cancelled, the service is not ready any more.
    pub stop: CancellationToken,
    /// What `/metrics` renders.
    pub metrics: PrometheusHandle,
}

impl OpsServer {
    /// Serves until the future is dropped: longer than the service's tasks, so that it can be
    /// observed while it stops.
    ///
    /// # Errors
    ///
    /// When the listener fails for good.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        let upkeep = upkeep(self.metrics.clone());
        let router = Router::new()
            .route("/livez", get(async || "alive\n"))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(self);
        tokio::select! {
            result = axum::serve(listener, router).into_future() => result,
            never = upkeep => match never {},
        }
    }
}

async fn upkeep(metrics: PrometheusHandle) -> std::convert::Infallible {
    let mut ticks = interval(UPKEEP_INTERVAL);
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}

/// The body of a `/readyz` that is not ready.
#[derive(Serialize)]
struct NotReady {
    ready: bool,
    components: BTreeMap<String, String>,
}

async fn readyz(State(ops): State<OpsServer>) -> Response {
    if ops.readiness.is_ready() && !ops.stop.is_cancelled() {
        return "ready\n".into_response();
    }
    let mut components = ops.readiness.not_ready();
    if ops.stop.is_cancelled() {
        components.insert("service".to_owned(), "stopping".to_owned());
    }
    match serde_json::to_string(&NotReady {
        ready: false,
        components,
    }) {
        Ok(body) => {
            let json = [(header::CONTENT_TYPE, "application/json")];
            (StatusCode::SERVICE_UNAVAILABLE, json, body).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn metrics(State(ops): State<OpsServer>) -> Response {
    let mut text = ops.metrics.render();
    text.push_str(&process::render());
    ([(header::CONTENT_TYPE, METRICS_TEXT)], text).into_response()
}

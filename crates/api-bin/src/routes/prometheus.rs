//! The fleet for Prometheus.

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::extract::State;
use chrono::Utc;
use monitor_store::sites;

use crate::answer::PrometheusText;
use crate::auth::Reader;
use crate::problem::Problem;
use crate::prometheus::render;
use crate::state::Api;

pub(super) fn routes() -> ApiRouter<Api> {
    ApiRouter::new().api_route(
        "/metrics",
        get_with(metrics, |operation| {
            operation
                .id("getPrometheusMetrics")
                .summary("The latest check of every site, for Prometheus.")
                .description(
                    "The names are those of blackbox_exporter, the labels `instance` (the URL), `site` and \
                     `region`: scrape it with `honor_labels: true`.",
                )
                .tag("prometheus")
        }),
    )
}

async fn metrics(_: Reader, State(api): State<Api>) -> Result<PrometheusText, Problem> {
    let sites = sites::count_enabled(&api.pool).await?;
    let checks = api
        .metrics
        .latest(api.metrics_max_sites, Utc::now())
        .await?;
    let left_out = sites.saturating_sub(api.metrics_max_sites.into());
    Ok(PrometheusText(render(&checks, sites, left_out)))
}

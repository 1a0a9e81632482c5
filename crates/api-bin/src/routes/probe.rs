//! One check now, of which nothing is stored.

use aide::axum::ApiRouter;
use aide::axum::routing::post_with;
use axum::Json;
use axum::extract::State;
use chrono::Utc;
use monitor_core::SiteConfig;

use crate::auth::Writer;
use crate::extract::SiteBody;
use crate::problem::{Kind, Problem};
use crate::state::Api;
use crate::wire::Probe;

pub(super) fn routes() -> ApiRouter<Api> {
    ApiRouter::new().api_route(
        "/api/v1/probe",
        post_with(probe, |operation| {
            operation
                .id("probe")
                .summary("Make one check now; nothing is stored.")
                .description(
                    "The site need not be monitored: try its rules before you save them. It is checked \
                     from where the API runs, and only at addresses that may be probed from there.",
                )
                .tag("checks")
        }),
    )
}

async fn probe(
    _: Writer,
    State(api): State<Api>,
    SiteBody(fields): SiteBody,
) -> Result<Json<Probe>, Problem> {
    let site = SiteConfig::from_json(&fields).map_err(Problem::invalid_site)?;
    let Ok(_place) = api.probes.try_acquire() else {
        let detail = "Other probes are being made: try again in a few seconds.";
        return Err(Problem::new(Kind::Busy, detail).retry_after(5));
    };
    let started_at = Utc::now();
    let report = api.prober.check(&site, started_at).await;
    Ok(Json(Probe::new(started_at, report)))
}

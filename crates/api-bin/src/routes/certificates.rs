//! Which certificates end soon.

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::Json;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::metric::CertificateEnd;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::auth::Reader;
use crate::extract::Query;
use crate::page::Limit;
use crate::problem::Problem;
use crate::state::Api;
use crate::wire::{Length, Text};

/// How soon they end.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CertificatesQuery {
    /// Certificates that end sooner, or have ended; 30d when left out.
    within: Option<Text<Length>>,
    /// Most certificates of the answer.
    #[serde(default)]
    limit: Limit<10_000>,
}

/// Certificates, by their end.
#[derive(Debug, Serialize, JsonSchema)]
struct Certificates {
    /// Those that end before this instant are told.
    before: DateTime<Utc>,
    /// Soonest first.
    items: Vec<CertificateEnd>,
}

pub(super) fn routes() -> ApiRouter<Api> {
    ApiRouter::new().api_route(
        "/api/v1/certificates",
        get_with(ending, |operation| {
            operation
                .id("listCertificates")
                .summary("The certificates that end soon, soonest first.")
                .tag("overview")
        }),
    )
}

async fn ending(
    _: Reader,
    State(api): State<Api>,
    Query(query): Query<CertificatesQuery>,
) -> Result<Json<Certificates>, Problem> {
    let within = query
        .within
        .map_or(TimeDelta::days(30), |within| within.0.0);
    let before = Utc::now().checked_add_signed(within);
    let before = before.ok_or_else(|| Problem::field("within", "is longer than anything lasts"))?;
    let items = api
        .metrics
        .certificates_ending(before, query.limit.0)
        .await?;
    Ok(Json(Certificates { before, items }))
}

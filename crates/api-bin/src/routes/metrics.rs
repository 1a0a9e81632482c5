//! What many checks came to, over a range: of a site, of the sites with a tag, of all.

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use aide::transform::TransformOperation;
use axum::Json;
use axum::extract::State;
use chrono::Utc;
use monitor_core::metric::{Sites, Subject, Summary};
use schemars::JsonSchema;
use serde::Serialize;

use super::sites::SitePath;

use crate::auth::Reader;
use crate::extract::{Path, Query};
use crate::problem::Problem;
use crate::state::Api;
use crate::wire::{
    Answers, Availability, ContentResults, Failures, FleetMetricQuery, Metric, MetricQuery,
    ResponseTime,
};

pub(super) fn routes() -> ApiRouter<Api> {
    ApiRouter::new()
        .merge(both::<Availability>(
            "uptime",
            "Uptime",
            "How available it was, and how much of the time is known.",
        ))
        .merge(both::<ResponseTime>(
            "response-time",
            "ResponseTime",
            "How long available checks took: mean, percentiles, phases.",
        ))
        .merge(both::<Answers>(
            "status-codes",
            "StatusCodes",
            "Which status codes were seen, and how often.",
        ))
        .merge(both::<ContentResults>(
            "content",
            "Content",
            "How often the content was as it should be.",
        ))
        .merge(both::<Failures>(
            "failure-kinds",
            "FailureKinds",
            "Why checks were down, missed or error.",
        ))
}

/// The route of a metric of one site, and of many.
fn both<T>(path: &str, name: &'static str, about: &'static str) -> ApiRouter<Api>
where
    T: for<'a> From<&'a Summary> + Serialize + JsonSchema + Send + 'static,
{
    ApiRouter::new()
        .api_route(
            &format!("/api/v1/sites/{{id}}/metrics/{path}"),
            get_with(of_site::<T>, move |operation| {
                documented(operation, &format!("getSite{name}"), about)
            }),
        )
        .api_route(
            &format!("/api/v1/metrics/{path}"),
            get_with(of_many::<T>, move |operation| {
                documented(operation, &format!("getFleet{name}"), about)
            }),
        )
}

fn documented<'a>(
    operation: TransformOperation<'a>,
    id: &str,
    about: &str,
) -> TransformOperation<'a> {
    operation.id(id).summary(about).tag("metrics")
}

async fn of_site<T: for<'a> From<&'a Summary>>(
    _: Reader,
    State(api): State<Api>,
    Path(SitePath { id }): Path<SitePath>,
    Query(query): Query<MetricQuery>,
) -> Result<Json<Metric<T>>, Problem> {
    let metric = metric(&api, Sites::One(id), &query).await?;
    Ok(Json(metric))
}

async fn of_many<T: for<'a> From<&'a Summary>>(
    _: Reader,
    State(api): State<Api>,
    Query(query): Query<FleetMetricQuery>,
) -> Result<Json<Metric<T>>, Problem> {
    let (tag, query) = query.split();
    let sites = tag.map_or(Sites::All, Sites::Tagged);
    Ok(Json(metric(&api, sites, &query).await?))
}

async fn metric<T: for<'a> From<&'a Summary>>(
    api: &Api,
    sites: Sites,
    query: &MetricQuery,
) -> Result<Metric<T>, Problem> {
    let asked = query.resolve(Utc::now())?;
    let subject = Subject {
        sites,
        region: query.region.clone(),
    };
    let (summary, series) = api
        .metrics
        .summary_and_series(&subject, &asked.buckets()?)
        .await?;
    if let Sites::One(id) = subject.sites
        && summary.coverage.is_none()
    {
        api.known(id).await?;
    }
    let series = if asked.step.is_some() {
        &series[..]
    } else {
        &[]
    };
    Ok(Metric::new(&asked, &summary, series))
}

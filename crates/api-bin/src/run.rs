//! The API from start to end.

use std::sync::Arc;

use anyhow::Context as _;
use monitor_auth::Grants;
use monitor_probe::{Prober, ProberSettings};
use monitor_runtime::{Component, Context, retry_until_ready};
use monitor_store::{DatabaseSettings, MetricDataProvider, Pool, schema};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{Duration, sleep};

use crate::auth::Access;
use crate::config::ApiSettings;
use crate::events::Events;
use crate::overview::Overviews;
use crate::state::{Api, PROBES, Shared};
use crate::status::StatusPages;
use crate::{layers, openapi, server};

/// How often the database is looked at, so that `/readyz` knows.
const LOOK: Duration = Duration::from_secs(5);

/// Lives until the context says to stop: waits for the database, listens, answers.
pub async fn run(
    (): (),
    (settings, database): (ApiSettings, DatabaseSettings),
    context: Context,
) -> anyhow::Result<()> {
    let component = context.readiness.component("database");
    let listener = TcpListener::bind(settings.listen).await;
    let listener =
        listener.with_context(|| format!("cannot listen on API_LISTEN={}", settings.listen))?;
    let connect = || connect(&database, settings.database_connections);
    let Some(pool) = retry_until_ready(&component, &context.stop, connect).await else {
        return Ok(());
    };
    let grants = Grants::new(settings.tokens.clone())?;
    if grants.is_empty() {
        tracing::warn!("no API_TOKENS: everybody on this machine may read and change everything");
    }
    let prober = Prober::new(&ProberSettings {
        allow_private_targets: settings.allow_private_targets,
        allowed_networks: settings.allowed_networks.clone(),
        ..ProberSettings::default()
    })?;
    let access = Access::new(grants, settings.public_reads);
    let api = Api::new(Shared {
        status: StatusPages::new(&settings, access.lets_everybody_read()),
        access,
        metrics: MetricDataProvider::new(pool.clone()),
        pool: pool.clone(),
        prober,
        probes: Semaphore::new(PROBES),
        overviews: Overviews::default(),
        events: Events::default(),
        streams: Arc::new(Semaphore::new(settings.max_streams)),
        stop: context.stop.clone(),
        metrics_max_sites: settings.metrics_max_sites,
    });
    let router = layers::around(openapi::router(api.clone()), &settings, &api);
    tracing::info!(api.address = %listener.local_addr()?, "listening");
    let stop = context.stop.clone();
    context.spawn(
        "events",
        api.events.clone().follow(pool.clone(), stop.clone()),
    );
    context.spawn("database watch", watch(pool, component, stop.clone()));
    server::serve(listener, router, settings.max_connections, stop).await
}

async fn connect(database: &DatabaseSettings, most: u32) -> Result<Pool, schema::SchemaError> {
    let pool = database.pool_of("api", most).await?;
    schema::check(&pool).await?;
    Ok(pool)
}

/// Keeps `/readyz` up to date. The pool heals by itself.
async fn watch(
    pool: Pool,
    component: Component,
    stop: monitor_runtime::CancellationToken,
) -> anyhow::Result<()> {
    while stop.run_until_cancelled(sleep(LOOK)).await.is_some() {
        match schema::check(&pool).await {
            Ok(()) => component.ready(),
            Err(error) => component.not_ready(error.to_string()),
        }
    }
    Ok(())
}

//! The checker from start to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use chrono::{DateTime, Utc};
use monitor_kafka::{Certificates, KafkaSettings, Link, topics};
use monitor_probe::{Prober, ProberSettings, RevocationLists};
use monitor_runtime::{CancellationToken, Component, Context, retry_until_ready};
use monitor_spool::SpoolError;
use monitor_store::{DatabaseSettings, schema};
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::checks::{Checks, ChecksSettings, Surroundings};
use crate::compact::CompactSite;
use crate::config::{Arguments, CheckerSettings, checker_name};
use crate::delivery::{Delivery, Posted};
use crate::outbox::{Outbox, POSTED};
use crate::revocation;
use crate::sites::SiteList;
use crate::storage::Storage;

/// How long `--once` waits for the database and Kafka before it gives up.
const ONCE_PATIENCE: Duration = Duration::from_mins(2);

type Settings = (CheckerSettings, KafkaSettings, DatabaseSettings);

/// The two halves of a checker: what makes results, and what delivers them.
struct Halves {
    checks: Checks,
    outbox: Outbox,
    /// Those that the outbox uses.
    certificates: Certificates,
    results: mpsc::Receiver<Posted>,
    /// How far the last run has come.
    last_reached: Option<DateTime<Utc>>,
}

pub(crate) async fn run(
    arguments: Arguments,
    (settings, kafka, database): Settings,
    context: Context,
) -> anyhow::Result<()> {
    kafka.log_warnings();
    let lists = revocation::read(&settings.crl_files)?;
    // All of them now: nobody is ready before the last one is.
    let [spool, ..] =
        ["spool", "database", "kafka", "network"].map(|name| context.readiness.component(name));
    let storage = if arguments.once {
        Some(open_storage(&settings).await?)
    } else {
        wait_for_storage(&settings, &spool, &context).await
    };
    let Some(storage) = storage else {
        return Ok(());
    };
    let halves = halves(&settings, &kafka, &lists, (storage, spool))?;
    if arguments.once {
        return check_once(halves, &kafka, &database, &context).await;
    }
    let following = revocation::follow(lists, context.stop.clone());
    context.spawn("revocation lists", following);
    check_for_ever(halves, (kafka, database), &context).await
}

/// Opens the spool off the async threads: all of it is read once.
async fn open_storage(settings: &CheckerSettings) -> anyhow::Result<Storage> {
    let (file, limits) = (settings.spool_file(), settings.spool_limits());
    let opened = spawn_blocking(move || Storage::open(&file, limits)).await?;
    opened.map_err(|error| {
        let hint = matches!(error, SpoolError::Locked { .. })
            .then_some(": is another checker of this region running? Give this one a CHECKER_REGION or a CHECKER_SPOOL_DIR of its own");
        anyhow!("{error}{}", hint.unwrap_or_default())
    })
}

/// The same, as soon as no other process has it.
async fn wait_for_storage(
    settings: &CheckerSettings,
    component: &Component,
    context: &Context,
) -> Option<Storage> {
    retry_until_ready(component, &context.stop, || open_storage(settings)).await
}

fn halves(
    settings: &CheckerSettings,
    kafka: &KafkaSettings,
    lists: &RevocationLists,
    (storage, spool): (Storage, Component),
) -> anyhow::Result<Halves> {
    let prober = Prober::new(&ProberSettings {
        allow_private_targets: settings.allow_private_targets,
        allowed_networks: settings.allowed_networks.clone(),
        name_servers: settings.name_servers.clone(),
        revocation_lists: lists.clone(),
    })?;
    let checker = checker_name();
    let (sender, results) = mpsc::channel(POSTED);
    let last_reached = storage.last_reached();
    let certificates = Certificates::of(kafka);
    let outbox = Outbox::new(Delivery::new(kafka, &checker, storage)?, spool);
    let settings = ChecksSettings {
        prober,
        checker,
        region: settings.region.clone(),
        max_in_flight: settings.max_in_flight,
        max_per_host: settings.max_per_host,
    };
    Ok(Halves {
        checks: Checks::new(settings, sender),
        outbox,
        certificates,
        results,
        last_reached,
    })
}

async fn check_once(
    Halves {
        checks,
        outbox,
        results,
        ..
    }: Halves,
    kafka: &KafkaSettings,
    database: &DatabaseSettings,
    context: &Context,
) -> anyhow::Result<()> {
    let database_component = context.readiness.component("database");
    let kafka_component = context.readiness.component("kafka");
    let loading = load_sites(database, &database_component, context);
    let sites = timeout(ONCE_PATIENCE, loading)
        .await
        .context("the database stayed away")?;
    let Some((_, sites)) = sites else {
        return Ok(());
    };
    let topic = || topics::check_events_topic(kafka);
    let waiting = retry_until_ready(&kafka_component, &context.stop, topic);
    timeout(ONCE_PATIENCE, waiting)
        .await
        .context("Kafka stayed away")?;
    let delivering = outbox.run(results, context);
    let (made, delivered) = tokio::join!(checks.run_once(sites, context), delivering);
    made.and(delivered)
}

async fn check_for_ever(
    Halves {
        checks,
        outbox,
        certificates,
        results,
        last_reached,
    }: Halves,
    (kafka, database): (KafkaSettings, DatabaseSettings),
    context: &Context,
) -> anyhow::Result<()> {
    let database_component = context.readiness.component("database");
    let kafka_component = context.readiness.component("kafka");
    let network = context.readiness.component("network");
    context.spawn(
        "certificates",
        watch_certificates(certificates, outbox.outdated(), context.stop.clone()),
    );
    context.spawn(
        "kafka",
        watch_kafka(kafka, outbox.link(), kafka_component, context.clone()),
    );
    // What the last run has left in the spool is delivered meanwhile.
    let checking = async move {
        let Some((list, sites)) = load_sites(&database, &database_component, context).await else {
            return Ok(());
        };
        let (changes, changed_sites) = mpsc::channel(1);
        changes.send(sites).await?;
        context.spawn(
            "sites",
            list.follow(database_component, changes, context.stop.clone()),
        );
        let surroundings = Surroundings {
            sites: changed_sites,
            last_reached,
            network,
        };
        checks.run(surroundings, context).await
    };
    let (made, delivered) = tokio::join!(checking, outbox.run(results, context));
    made.and(delivered)
}

async fn load_sites(
    database: &DatabaseSettings,
    component: &Component,
    context: &Context,
) -> Option<(SiteList, Vec<CompactSite>)> {
    let load = || async {
        let pool = database.pool("checker").await?;
        schema::check(&pool).await?;
        anyhow::Ok(SiteList::load(pool).await?)
    };
    retry_until_ready(component, &context.stop, load).await
}

/// Has a new producer made whenever the certificates have been replaced.
async fn watch_certificates(
    mut certificates: Certificates,
    outdated: Arc<AtomicBool>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    while stop
        .run_until_cancelled(certificates.replaced())
        .await
        .is_some()
    {
        outdated.store(true, Ordering::Relaxed);
    }
    Ok(())
}

/// Tells what keeps Kafka from taking results. Checking goes on meanwhile: the outbox keeps them.
async fn watch_kafka(
    kafka: KafkaSettings,
    link: watch::Receiver<Link>,
    component: Component,
    context: Context,
) -> anyhow::Result<()> {
    let topic = || topics::check_events_topic(&kafka);
    if retry_until_ready(&component, &context.stop, topic)
        .await
        .is_some()
    {
        component.follow(link, Link::trouble, &context.stop).await;
    }
    Ok(())
}

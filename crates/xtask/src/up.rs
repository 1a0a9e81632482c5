//! `cargo xtask up`: the whole monitor on this machine, until Ctrl-C.

mod live;
mod services;
mod sites;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use local_stack::{Control, Postgres, jars};

use self::live::Live;
use self::services::{Services, Sites};
use crate::dashboard::Dashboard;
use crate::ground::{self, Broker};
use crate::local::Local;
use crate::{console, packages, step, workspace};

const FOREVER: Duration = Duration::MAX;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The user's own sites; `None` for the demo.
    pub(crate) sites: Option<PathBuf>,
    /// Let the user's own sites be on this machine, as those of the demo are.
    pub(crate) allow_private: bool,
    /// Do without Apache Kafka.
    pub(crate) volatile_broker: bool,
}

pub(crate) fn run(wanted: &Wanted, control: &Control) -> Result<()> {
    let sites = match &wanted.sites {
        Some(file) => Sites::Own(existing(file)?),
        None => Sites::Demo,
    };
    let local = Local::open()?;
    packages::ensure(packages::FOR_BUILDING, control)?;
    let volatile = wanted.volatile_broker || !kafka_can_be_had(control)?;
    if volatile {
        warn_of_volatile_broker();
    }
    let (postgres, broker) = prepare(&local, volatile, control)?;
    let mut variables = ground::variables(&postgres, &broker);
    if wanted.allow_private || matches!(sites, Sites::Demo) {
        for variable in ["CHECKER_ALLOW_PRIVATE_TARGETS", "API_ALLOW_PRIVATE_TARGETS"] {
            variables.push((variable, "true".to_owned()));
        }
    }
    let mut services = Services::new(&local, &variables);
    let outcome = serve(&mut services, postgres, broker, &sites, control);
    if control.is_cancelled() {
        console::say("stopped; data kept in .local");
        return Ok(());
    }
    outcome
}

fn existing(file: &Path) -> Result<PathBuf> {
    file.canonicalize()
        .with_context(|| format!("cannot read the site file {}", file.display()))
}

/// Fetches it if need be; says why when it cannot.
fn kafka_can_be_had(control: &Control) -> Result<bool> {
    let had = packages::ensure(packages::FOR_KAFKA, control)
        .and_then(|()| jars::locate_or_fetch(control).map(drop));
    control.check()?;
    if let Err(error) = &had {
        console::say(&format!("  Apache Kafka cannot be had: {error:#}"));
    }
    Ok(had.is_ok())
}

fn warn_of_volatile_broker() {
    console::say(
        "! VOLATILE BROKER: this is not Apache Kafka. Messages are kept in memory and are LOST\n\
         ! when it ends. Good for a look, not for data that matters.",
    );
}

/// Builds the programs while the services start.
fn prepare(local: &Local, volatile: bool, control: &Control) -> Result<(Postgres, Broker)> {
    let root = workspace::root()?;
    let mut cargo = ground::build_command(&root, volatile);
    thread::scope(|scope| {
        let started = Instant::now();
        let services = scope.spawn(|| {
            if volatile {
                return ground::start_kept_postgres(local, control).map(|one| (one, None));
            }
            ground::start_kept(local, control).map(|(one, two)| (one, Some(two)))
        });
        let built = build_dashboard(&root, control)
            .and_then(|()| step::run("build (and start the services)", &mut cargo, control));
        let services = services
            .join()
            .map_err(|_| anyhow!("a service's start panicked"));
        built?;
        let (postgres, broker) = services??;
        let broker = match broker {
            Some(broker) => broker,
            None => ground::start_volatile_broker(local, control)?,
        };
        ground::announce(&postgres, &broker, local, started);
        Ok((postgres, broker))
    })
}

/// Before the programs: one of them contains it.
fn build_dashboard(root: &Path, control: &Control) -> Result<()> {
    match Dashboard::find(root, control)? {
        Some(dashboard) => dashboard.build(control),
        None => Ok(()),
    }
}

/// Runs the monitor on what was prepared, and stops everything in order at the end.
fn serve(
    services: &mut Services<'_>,
    mut postgres: Postgres,
    mut broker: Broker,
    sites: &Sites,
    control: &Control,
) -> Result<()> {
    let topics_exist = matches!(broker, Broker::Volatile { .. });
    let served = services
        .start(sites, topics_exist, control)
        .and_then(|api| {
            let _env = services.write_env(&api)?;
            explain(&api);
            watch(services, &mut postgres, &mut broker, control)
        });
    services.stop()?;
    broker.process().stop()?;
    postgres.stop()?;
    served
}

fn explain(api: &str) {
    console::say(&format!(
        "  dashboard:  {api}/\n  \
           your data:  {api}/api/docs, or in SQL: set -a; . .local/env; set +a; psql \"$DATABASE_URL\"\n  \
           logs:       .local/log/\n  \
           stop:       Ctrl-C\n"
    ));
}

fn watch(
    services: &mut Services<'_>,
    postgres: &mut Postgres,
    broker: &mut Broker,
    control: &Control,
) -> Result<()> {
    let mut live = Live::default();
    let watched = control.poll(FOREVER, || {
        services.fail_if_one_ended()?;
        broker.process().fail_if_exited()?;
        postgres.process().fail_if_exited()?;
        live.show(postgres);
        Ok(None::<()>)
    });
    console::end_line();
    match watched {
        Ok(_) => bail!("nothing to wait for"),
        Err(error) => Err(error),
    }
}

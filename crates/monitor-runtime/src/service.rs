//! The entry point of a service.

use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, CommandFactory, FromArgMatches, Parser};
use monitor_config::{Environment, Sections, help_text, tables};
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::task::JoinSet;

use crate::{
    Context, OpsServer, OpsSettings, Outcome, RuntimeSettings, Supervisor, exit, healthcheck,
    install_recorder, panics, signals, telemetry,
};

/// How long blocking work (a DNS lookup, a file) may hold up the end of the process.
const BLOCKING_GRACE: Duration = Duration::from_secs(1);

/// Who a service is.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    name: &'static str,
    version: &'static str,
    about: &'static str,
}

impl Service {
    /// The name of the executable, its version, and one line for `--help`.
    #[must_use]
    pub const fn new(name: &'static str, version: &'static str, about: &'static str) -> Self {
        Self {
            name,
            version,
            about,
        }
    }
}

/// The command line: what every service takes, and what this one adds.
#[derive(Parser)]
struct CommandLine<A: Args> {
    #[command(flatten)]
    service: A,

    /// Ask the running service whether it is ready; exit 0 if so, else 1
    #[arg(long)]
    healthcheck: bool,
}

/// The whole life of a service: reads the command line and the environment, starts logs, metrics
/// and the ops server, calls `run` with the arguments, the settings and the [`Context`], waits for
/// the end, and says with which code to exit. The crate documentation has the rules.
///
/// Use `()` for a service without arguments of its own.
pub fn service_main<A, S, F, R>(service: &Service, run: F) -> ExitCode
where
    A: Args,
    S: Sections,
    F: FnOnce(A, S, Context) -> R,
    R: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let arguments = match parse::<A, S>(service) {
        Ok(arguments) => arguments,
        Err(error) => return exit::clap(&error),
    };
    let environment = Environment::from_process();
    if arguments.healthcheck {
        return check_health(&environment);
    }
    let (settings, own_settings) = match environment.load::<(RuntimeSettings, S)>() {
        Ok(settings) => settings,
        Err(error) => return exit::bad_configuration(&error),
    };
    if let Err(error) = telemetry::init(&settings.1) {
        exit::print_error(&error);
        return ExitCode::FAILURE;
    }
    panics::log_panics();
    let configuration = environment.summary::<(RuntimeSettings, S)>();
    tracing::info!(
        service = service.name,
        version = service.version,
        configuration,
        "starting"
    );
    let run = |context| run(arguments.service, own_settings, context);
    report(live(service, &settings, run))
}

fn parse<A: Args, S: Sections>(service: &Service) -> Result<CommandLine<A>, clap::Error> {
    let matches = CommandLine::<A>::command()
        .name(service.name)
        .bin_name(service.name)
        .version(service.version)
        .about(service.about)
        .after_help(help_text(&tables::<(S, RuntimeSettings)>()))
        .try_get_matches()?;
    CommandLine::from_arg_matches(&matches)
}

/// Exits 1 for every trouble: container runtimes know no other code.
fn check_health(environment: &Environment) -> ExitCode {
    let healthy = match environment.load::<OpsSettings>() {
        Ok(settings) => healthcheck(settings.listen),
        Err(error) => Err(error.to_string()),
    };
    match healthy {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            exit::print_error(&reason);
            ExitCode::FAILURE
        }
    }
}

/// Builds the runtime, lives in it, and takes it down.
fn live<F, R>(service: &Service, settings: &RuntimeSettings, run: F) -> anyhow::Result<Outcome>
where
    F: FnOnce(Context) -> R,
    R: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let mut builder = match settings.3.worker_threads {
        1 => runtime::Builder::new_current_thread(),
        threads => {
            let mut builder = runtime::Builder::new_multi_thread();
            builder.worker_threads(threads);
            builder
        }
    };
    let runtime = builder.enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    let outcome = runtime.block_on(supervise(service, settings, run));
    runtime.shutdown_timeout(BLOCKING_GRACE);
    outcome
}

async fn supervise<F, R>(
    service: &Service,
    (ops, _, shutdown, _): &RuntimeSettings,
    run: F,
) -> anyhow::Result<Outcome>
where
    F: FnOnce(Context) -> R,
    R: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    // From here on a signal is a request, not the end.
    let (_signals, requests) = signals::listen().context("cannot listen for signals")?;
    let supervisor = Supervisor::new(shutdown.grace);
    let context = supervisor.context();
    let _ops_server = start_ops_server(service, ops, &context).await?;
    Ok(supervisor.run(run(context), requests).await)
}

/// The server outlives the tasks of the service and ends when the returned set is dropped.
async fn start_ops_server(
    service: &Service,
    settings: &OpsSettings,
    context: &Context,
) -> anyhow::Result<JoinSet<std::io::Result<()>>> {
    let metrics = install_recorder()?;
    metrics::gauge!("monitor_build_info", "service" => service.name, "version" => service.version)
        .set(1.0);
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on OPS_LISTEN={}", settings.listen))?;
    tracing::info!(ops.address = %listener.local_addr()?, "ops server listening");
    let Context {
        readiness, stop, ..
    } = context.clone();
    let mut server = JoinSet::new();
    server.spawn(
        OpsServer {
            readiness,
            stop,
            metrics,
        }
        .serve(listener),
    );
    Ok(server)
}

/// The supervisor has logged what became of each task; this is the last line.
fn report(outcome: anyhow::Result<Outcome>) -> ExitCode {
    match outcome {
        Ok(Outcome::Clean) => {
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Ok(Outcome::TaskDied(died)) => {
            tracing::error!(task = died.task, "stopped because a task died");
            ExitCode::FAILURE
        }
        Ok(Outcome::Forced(_)) => {
            tracing::error!("stopped by force");
            ExitCode::FAILURE
        }
        Err(error) => {
            tracing::error!("cannot start: {error:#}");
            ExitCode::FAILURE
        }
    }
}

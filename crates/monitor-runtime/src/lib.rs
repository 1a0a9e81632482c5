//! How a service lives: command line, configuration, logs, signals, supervised tasks, readiness,
//! metrics, exit codes. It knows nothing of what the service is for.
//!
//! A binary states who it is and hands over one function; the three parameters of that function
//! are its command line, its settings and the running service around it:
//!
//! ```no_run
//! use monitor_config::{Section, Variable};
//! use monitor_runtime::{Context, Service, service_main};
//! use std::process::ExitCode;
//!
//! #[derive(serde::Deserialize)]
//! struct Settings {
//!     city: String,
//! }
//!
//! impl Section for Settings {
//!     const PREFIX: &'static str = "GREETER_";
//!     const VARIABLES: &'static [Variable] =
//!         &[Variable::with_default("GREETER_CITY", "Helsinki", "whom to greet")];
//! }
//!
//! async fn run(_: (), (settings,): (Settings,), context: Context) -> anyhow::Result<()> {
//!     let city = context.readiness.component("city");
//!     city.ready();
//!     context.stop.cancelled().await;
//!     tracing::info!(city = settings.city, "good night");
//!     Ok(())
//! }
//!
//! fn main() -> ExitCode {
//!     service_main(&Service::new("greeter", env!("CARGO_PKG_VERSION"), "says hello"), run)
//! }
//! ```
//!
//! # The rules of a life
//!
//! - The service lives until `run` returns. `Ok` is a clean end (a service that runs for ever
//!   returns once [`Context::stop`] is cancelled; a one-off mode returns when its work is done),
//!   `Err` is a failure.
//! - Long-lived tasks start through [`Context::spawn`]. One that ends before a stop was asked for,
//!   fails or panics takes the process down.
//! - The first SIGTERM or SIGINT cancels [`Context::stop`]; tasks then finish what they hold. A
//!   second signal, or the end of `SHUTDOWN_GRACE`, aborts them.
//! - Exit codes: 0 after a clean end, 1 when a task died or had to be aborted, 64 for a command
//!   line or a configuration that cannot be used (every problem is named at once).
//! - `/livez`, `/readyz` and `/metrics` answer on `OPS_LISTEN` from start to end, also while the
//!   service waits for what it depends on, and while it stops.

mod context;
mod exit;
mod healthcheck;
mod metrics;
mod ops;
mod panics;
mod readiness;
mod retry;
mod service;
mod settings;
mod signals;
mod supervisor;
pub mod telemetry;
mod tool;

pub use context::Context;
pub use healthcheck::healthcheck;
pub use metrics::install_recorder;
pub use ops::OpsServer;
pub use readiness::{Component, Readiness};
pub use retry::{Backoff, Retry, retry_until_ready};
pub use service::{Service, service_main};
pub use settings::{
    LogFilter, LogFormat, LogSettings, OpsSettings, RuntimeSettings, ShutdownSettings,
    WorkerSettings,
};
pub use supervisor::{Outcome, StopRequests, Supervisor, TaskDied, stop_requests};
pub use tokio_util::sync::CancellationToken;
pub use tool::tool_main;

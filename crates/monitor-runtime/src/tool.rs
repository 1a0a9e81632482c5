//! The entry point of a command that does one thing and ends.

use std::future::Future;
use std::process::ExitCode;

use clap::Parser;
use monitor_config::{ConfigError, Environment};
use tokio::runtime;

use crate::exit;

/// Parses the command line as `P`, runs one command, and says with which code to exit: the one
/// that `run` returns; 64 when the command line or the configuration cannot be used; 1 for every
/// other error, which is printed with its causes.
///
/// Each subcommand reads the sections that it needs: `environment.load::<…>()?`. Signals keep
/// their default meaning. Nothing is logged unless `run` calls
/// [`telemetry::init`](crate::telemetry::init).
pub fn tool_main<P, F, R>(run: F) -> ExitCode
where
    P: Parser,
    F: FnOnce(P, Environment) -> R,
    R: Future<Output = anyhow::Result<ExitCode>>,
{
    let arguments = match P::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return exit::clap(&error),
    };
    let runtime = match runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failure(&error.into()),
    };
    match runtime.block_on(run(arguments, Environment::from_process())) {
        Ok(code) => code,
        Err(error) => failure(&error),
    }
}

fn failure(error: &anyhow::Error) -> ExitCode {
    if let Some(error) = error.downcast_ref::<ConfigError>() {
        return exit::bad_configuration(error);
    }
    exit::print_error(&format_args!("error: {error:#}"));
    ExitCode::FAILURE
}

//! `cargo xtask`: the local stack and the checks of this repository, without Docker.

mod bench;
mod checks;
mod console;
mod dashboard;
mod ground;
mod local;
mod packages;
mod schemathesis;
mod soak;
mod sqlx_prepare;
mod stack;
mod step;
mod test;
mod up;
mod workspace;

use std::path::PathBuf;
use std::process::{self, ExitCode};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use local_stack::Control;

use crate::bench::Subject;
use crate::up::Wanted;

/// What a shell reports for a command that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

/// The local stack and the checks of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run the whole monitor on this machine until Ctrl-C
    Up {
        /// Monitor exactly the sites of this file (YAML or JSON) instead of the demo
        #[arg(long, value_name = "FILE")]
        sites: Option<PathBuf>,
        /// Let them be on this machine or in private networks, as those of the demo are
        #[arg(long, requires = "sites")]
        allow_private: bool,
        /// Do without Apache Kafka: messages are lost at the end
        #[arg(long)]
        volatile_broker: bool,
    },
    /// Run only PostgreSQL and Kafka until Ctrl-C
    Stack,
    /// Check and test everything on a stack of its own
    ///
    /// With arguments, runs only `cargo test ARGS`, on such a stack: `cargo xtask test -p e2e NAME`
    Test {
        /// For `cargo test`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Measure what the programs cost, beside floors and peers
    Bench {
        /// What to measure
        subject: Subject,
        /// One short round
        #[arg(long)]
        quick: bool,
    },
    /// Disturb a monitor at random, on a stack of its own, and judge what became of its results
    Soak {
        /// How long
        #[arg(long, default_value_t = 10)]
        minutes: u64,
        /// What all chances follow from: the same again
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Format all sources
    Fmt,
    /// Check formatting, lints and documentation
    Lint,
    /// Write `.sqlx`: what the database says about every query
    SqlxPrepare {
        /// Change nothing, fail when `.sqlx` is not current
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let control = Control::new(|line| console::say(&format!("  {line}")));
    match run(arguments.task, &control) {
        Ok(code) => code,
        Err(_) if control.is_cancelled() => {
            console::say("interrupted");
            ExitCode::from(INTERRUPTED)
        }
        Err(error) => {
            console::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task, control: &Control) -> Result<ExitCode> {
    stop_on_signals(control)?;
    let root = workspace::root()?;
    match task {
        Task::Up {
            sites,
            allow_private,
            volatile_broker,
        } => {
            let wanted = Wanted {
                sites,
                allow_private,
                volatile_broker,
            };
            up::run(&wanted, control)?;
        }
        Task::Stack => stack::run(control)?,
        Task::Test { args } => return test::run(&args, control),
        Task::Bench { subject, quick } => return bench::run(subject, quick, control),
        Task::Soak { minutes, seed } => return soak::run(minutes, seed, control),
        Task::Fmt => checks::format(&root, control)?,
        Task::Lint => {
            checks::formatting(&root, control)?;
            checks::lints(&root, control)?;
            checks::documentation(&root, control)?;
        }
        Task::SqlxPrepare { check } => sqlx_prepare::run(check, control)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The first signal stops everything in order, the second at once.
fn stop_on_signals(control: &Control) -> Result<()> {
    let control = control.clone();
    ctrlc::set_handler(move || {
        if control.is_cancelled() {
            process::exit(i32::from(INTERRUPTED));
        }
        control.cancel();
    })
    .context("cannot listen for signals")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn arguments_of_cargo_test_are_passed_on() {
        let parsed = Arguments::parse_from([
            "cargo xtask",
            "test",
            "-p",
            "e2e",
            "name",
            "--",
            "--nocapture",
        ]);
        let Task::Test { args } = parsed.task else {
            panic!("not the task that was asked for");
        };
        assert_eq!(args, ["-p", "e2e", "name", "--", "--nocapture"]);
    }
}

//! What our programs cost, beside floors and peers that are measured in the same run.

mod checker;
mod console;
mod contender;
mod cpu;
mod finish;
mod get;
mod ground;
mod histogram;
mod memory;
mod nginx;
mod report;
mod rounds;
mod scale;
mod silence;
mod statistics;
mod window;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use local_stack::Control;

/// What our programs cost, beside floors and peers that are measured in the same run.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Debug, Subcommand)]
enum Subject {
    /// CPU and memory of whole checks
    Checker {
        /// One short round: to see that everything runs, and roughly where it stands
        #[arg(long)]
        quick: bool,
    },
}

fn main() -> ExitCode {
    let Subject::Checker { quick } = Arguments::parse().subject;
    let control = Control::new(|line| console::say(&format!("  {line}")));
    match run(quick, &control) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(quick: bool, control: &Control) -> Result<()> {
    let canceller = control.clone();
    ctrlc::set_handler(move || canceller.cancel()).context("cannot listen for signals")?;
    checker::run(quick, control)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}

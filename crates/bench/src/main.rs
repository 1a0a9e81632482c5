//! What our programs cost, beside floors and peers that are measured in the same run.

mod api;
mod checker;
mod console;
mod contender;
mod cpu;
mod dashboard;
mod finish;
mod get;
mod ground;
mod histogram;
mod line;
mod memory;
mod metrics;
mod nginx;
mod python;
mod report;
mod rollups;
mod rounds;
mod scale;
mod silence;
mod sink;
mod stack;
mod statistics;
mod target;
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
    Checker(Extent),
    /// From a full topic to committed rows
    Sink {
        #[command(flatten)]
        extent: Extent,
        /// Only the rate, beside that of the server's own COPY: nothing else, and no report
        #[arg(long)]
        rate: bool,
    },
    /// Answers about months of checks, and the API that gives them
    Metrics(Extent),
    /// The overview of ten and of ten thousand sites in a browser
    Dashboard(Extent),
}

#[derive(Clone, Copy, Debug, clap::Args)]
struct Extent {
    /// One short round: to see that everything runs, and roughly where it stands
    #[arg(long)]
    quick: bool,
}

fn main() -> ExitCode {
    let subject = Arguments::parse().subject;
    let control = Control::new(|line| console::say(&format!("  {line}")));
    match run(&subject, &control) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(subject: &Subject, control: &Control) -> Result<()> {
    let canceller = control.clone();
    ctrlc::set_handler(move || canceller.cancel()).context("cannot listen for signals")?;
    match subject {
        Subject::Checker(extent) => checker::run(extent.quick, control),
        Subject::Sink { extent, rate: true } => sink::run_rate(extent.quick, control),
        Subject::Sink { extent, .. } => sink::run(extent.quick, control),
        Subject::Metrics(extent) => metrics::run(extent.quick, control),
        Subject::Dashboard(extent) => dashboard::run(extent.quick, control),
    }
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

//! `admin`: migrations, topics, dead letters, sites, probes, metrics, rollups and tokens from the
//! command line.

mod dead_letters;
mod metrics;
mod migrate;
mod output;
mod probe;
mod rollups;
mod settings;
mod sites;
mod tokens;
mod topics;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use monitor_config::Environment;
use monitor_runtime::tool_main;

/// Migrations, topics, dead letters, sites, probes, metrics, rollups and tokens of Aiven Monitor.
#[derive(Parser)]
#[command(name = "admin", version, after_help = settings::help())]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring the database schema to this version
    Migrate,
    /// Create or check the Kafka topics
    #[command(subcommand)]
    Topics(topics::Command),
    /// List, show and replay the messages that could not be stored
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Import, list and change the monitored sites
    #[command(subcommand)]
    Sites(sites::Command),
    /// Check a URL, or the sites of a file, now; nothing is stored
    ///
    /// Exits with 0 when available, 1 when down, 2 when that could not be told
    Probe(probe::Probe),
    /// Print the response times, status codes and content matches of a site
    Metrics(metrics::Arguments),
    /// Make secrets for the API
    #[command(subcommand)]
    Tokens(tokens::Command),
    /// Compute rollups anew
    #[command(subcommand)]
    Rollups(rollups::Command),
}

fn main() -> ExitCode {
    tool_main(run)
}

async fn run(arguments: CommandLine, environment: Environment) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Migrate => migrate::run(&environment).await?,
        Command::Topics(command) => topics::run(&command, &environment).await?,
        Command::DeadLetters(command) => dead_letters::run(&command, &environment).await?,
        Command::Sites(command) => return sites::run(command, &environment).await,
        Command::Probe(arguments) => return probe::run(arguments, &environment).await,
        Command::Rollups(command) => rollups::run(&command, &environment).await?,
        Command::Metrics(arguments) => metrics::run(&arguments, &environment).await?,
        Command::Tokens(command) => tokens::run(&command)?,
    }
    Ok(ExitCode::SUCCESS)
}

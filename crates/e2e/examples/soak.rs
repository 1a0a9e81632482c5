//! The random mix of faults for a long time: `cargo xtask soak` builds and runs it.
#![expect(clippy::print_stdout, reason = "a report is what this program is for")]

use std::time::Duration;

use clap::Parser;
use e2e::mix::Mix;

#[derive(Debug, Parser)]
struct Arguments {
    /// After so many minutes no new round begins
    #[arg(long)]
    minutes: u64,
    /// What all chances follow from
    #[arg(long)]
    seed: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mix = Mix {
        seed: arguments.seed,
        duration: Duration::from_mins(arguments.minutes),
    };
    let report = mix.run(|line| println!("{line}")).await?;
    println!("\n{report}");
    Ok(())
}

//! `cargo xtask bench`: what the released programs cost. The measuring is a program of its own, so
//! that this one stays small.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use local_stack::Control;

use crate::{packages, step, workspace};

/// What can be measured.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Subject {
    /// CPU and memory of whole checks
    Checker,
}

impl Subject {
    fn name(self) -> &'static str {
        match self {
            Self::Checker => "checker",
        }
    }
}

/// Builds what is needed as it is released, and measures.
pub(crate) fn run(subject: Subject, quick: bool, control: &Control) -> Result<ExitCode> {
    packages::ensure(packages::FOR_BUILDING, control)?;
    packages::ensure(packages::FOR_KAFKA, control)?;
    packages::ensure(packages::FOR_BENCHMARKS, control)?;
    let mut build = Command::new(workspace::cargo());
    build
        .current_dir(workspace::root()?)
        .args(["build", "--release", "--bins"])
        .args(["-p", "bench", "-p", "checker-bin", "-p", "admin-bin"]);
    step::run("build the released programs", &mut build, control)?;
    let own_folder = workspace::built_programs()?;
    let target = own_folder
        .parent()
        .context("this program is in no target folder")?;
    let mut bench = Command::new(target.join("release/bench"));
    bench.arg(subject.name());
    if quick {
        bench.arg("--quick");
    }
    let status = step::status(&mut bench, control)?;
    Ok(step::exit_code(status))
}

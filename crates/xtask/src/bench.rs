//! `cargo xtask bench`: what the released programs cost. The measuring is a program of its own, so
//! that this one stays small.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use local_stack::Control;

use crate::dashboard::{self, Dashboard};
use crate::{packages, step, workspace};

/// What can be measured.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Subject {
    /// CPU and memory of whole checks
    Checker,
    /// From a full topic to committed rows
    Sink,
    /// Answers about months of checks, and the API that gives them
    Metrics,
    /// The overview of ten and of ten thousand sites in a browser
    Dashboard,
}

impl Subject {
    fn name(self) -> &'static str {
        match self {
            Self::Checker => "checker",
            Self::Sink => "sink",
            Self::Metrics => "metrics",
            Self::Dashboard => "dashboard",
        }
    }

    /// What has to be on the system besides what everything needs.
    fn requirements(self) -> &'static [packages::Requirement] {
        match self {
            Self::Checker => packages::FOR_BENCHMARKS,
            Self::Sink | Self::Dashboard => &[],
            Self::Metrics => packages::FOR_LOAD,
        }
    }

    fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Checker => &["checker-bin"],
            Self::Sink => &["sink-bin"],
            Self::Metrics | Self::Dashboard => &["api-bin", "sink-bin"],
        }
    }
}

/// Builds what is needed as it is released, and measures.
pub(crate) fn run(subject: Subject, quick: bool, control: &Control) -> Result<ExitCode> {
    packages::ensure(packages::FOR_BUILDING, control)?;
    packages::ensure(packages::FOR_KAFKA, control)?;
    packages::ensure(subject.requirements(), control)?;
    let root = workspace::root()?;
    if matches!(subject, Subject::Dashboard) {
        build_dashboard(&root, control)?;
    }
    let mut build = Command::new(workspace::cargo());
    build
        .current_dir(&root)
        .args(["build", "--release", "--bins"])
        .args(["-p", "bench", "-p", "admin-bin"]);
    for program in subject.programs() {
        build.args(["-p", program]);
    }
    if matches!(subject, Subject::Metrics) {
        // It asks by the library itself, which this crate's programs do not know.
        build.args(["-p", "monitor-store", "--example", "metrics_cost"]);
    }
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

/// Elsewhere a page that cannot be had is left out. Here it is what is measured.
fn build_dashboard(root: &Path, control: &Control) -> Result<()> {
    ensure!(
        dashboard::find_browser().is_some(),
        "there is no Chromium, and nothing to measure without: please install it"
    );
    let dashboard = Dashboard::find(root, control)?;
    let dashboard = dashboard.context("there is nothing to measure without the dashboard")?;
    dashboard.build(control)
}

//! `cargo xtask soak`: a random mix of faults under a monitor at work, for as long as it takes. The
//! program that does it is an example of the end-to-end tests, so that this one stays small.

use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use local_stack::Control;

use crate::{console, ground, packages, step, workspace};

/// Builds what is needed and lets it run for `minutes`. Without a seed, any will do.
pub(crate) fn run(minutes: u64, seed: Option<u64>, control: &Control) -> Result<ExitCode> {
    packages::ensure(packages::FOR_BUILDING, control)?;
    packages::ensure(packages::FOR_KAFKA, control)?;
    let root = workspace::root()?;
    let mut build = ground::build_command(&root, false);
    build.args(["--example", "soak"]);
    step::run("build the programs", &mut build, control)?;
    let seed = seed.unwrap_or_else(any_seed);
    console::say(&format!("▸ soak --minutes {minutes} --seed {seed}"));
    let mut soak = Command::new(workspace::built_programs()?.join("examples/soak"));
    soak.args(["--minutes", &minutes.to_string()])
        .args(["--seed", &seed.to_string()]);
    let status = step::status(&mut soak, control)?;
    Ok(step::exit_code(status))
}

fn any_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| u64::from(now.subsec_nanos()))
}

//! What the system has to have before anything can be built or started, and how it gets it.

mod manager;
mod requirement;

use std::time::Instant;

use anyhow::{Result, bail};
use local_stack::Control;
use nix::unistd::Uid;

use self::manager::Manager;
pub(crate) use self::requirement::{
    FOR_BENCHMARKS, FOR_BUILDING, FOR_KAFKA, FOR_LOAD, FOR_TESTS, Requirement,
};
use crate::console;

/// Installs what is missing if we may, else says what to install.
pub(crate) fn ensure(requirements: &[Requirement], control: &Control) -> Result<()> {
    let missing = unmet(requirements);
    if missing.is_empty() {
        return Ok(());
    }
    let names = names(&missing);
    let Some(manager) = Manager::find() else {
        bail!("missing: {names}. Please install them with your system's package manager");
    };
    let packages = manager.packages(&missing);
    if !Uid::effective().is_root() {
        let command = manager.command_line(&packages);
        bail!("missing: {names}. Please run: {command}");
    }
    let started = Instant::now();
    console::say(&format!("▸ installing {}", packages.join(" ")));
    manager.install(&packages, control)?;
    let missing = unmet(requirements);
    if !missing.is_empty() {
        bail!(
            "still missing after the installation: {}",
            self::names(&missing)
        );
    }
    console::say(&format!("✔ installed ({})", console::elapsed(started)));
    Ok(())
}

fn unmet(requirements: &[Requirement]) -> Vec<&Requirement> {
    requirements.iter().filter(|one| !(one.met)()).collect()
}

fn names(requirements: &[&Requirement]) -> String {
    let names: Vec<_> = requirements.iter().map(|one| one.name).collect();
    names.join(", ")
}

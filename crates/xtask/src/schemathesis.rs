//! Schemathesis, which makes requests out of an OpenAPI document: a Python package, in an environment
//! of its own that is made once.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use local_stack::{Control, find_executable};

use crate::{console, step, workspace};

/// The one that the test was written with: another may look for other things.
const PACKAGE: &str = "schemathesis==4.32.5";

/// Where it is; `None`, and said so, when it cannot be had.
pub(crate) fn find_or_install(control: &Control) -> Result<Option<PathBuf>> {
    let folder = workspace::built_programs()?.join(PACKAGE.replace("==", "-"));
    let program = folder.join("bin/schemathesis");
    if program.is_file() {
        return Ok(Some(program));
    }
    let installed = install(&folder, control);
    control.check()?;
    match installed {
        Ok(()) => Ok(Some(program)),
        Err(error) => {
            console::say(&format!(
                "! {PACKAGE} cannot be had, so the API is not tried with generated requests: {error:#}"
            ));
            Ok(None)
        }
    }
}

fn install(folder: &Path, control: &Control) -> Result<()> {
    let python = find_executable("python3").context("python3 is not installed")?;
    // Renamed into place it would not work: a program in it names its Python by the whole path.
    let made = (|| {
        let mut venv = Command::new(python);
        venv.args(["-m", "venv", "--clear"]).arg(folder);
        step::run("make an environment for schemathesis", &mut venv, control)?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "-q", "--retries=1", PACKAGE]);
        step::run("install schemathesis", &mut pip, control)
    })();
    if made.is_err() {
        std::fs::remove_dir_all(folder).ok();
    }
    made
}

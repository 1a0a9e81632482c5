//! Pythons with packages, each in a virtual environment that is made once and kept in
//! `target/bench`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use local_stack::{Program, find_executable};

use crate::finish;
use crate::stack::{Stack, kept_folder};

const INSTALL_LIMIT: Duration = Duration::from_mins(3);

/// What a script needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Environment {
    pub(crate) name: &'static str,
    pub(crate) packages: &'static [&'static str],
    /// A statement that works when they are there.
    pub(crate) check: &'static str,
}

/// A Python that has it.
#[derive(Debug)]
pub(crate) struct Python(PathBuf);

impl Python {
    /// The one of an earlier run, else a new one.
    pub(crate) fn prepare(environment: Environment, stack: &Stack) -> Result<Self> {
        let folder = kept_folder()?.join(environment.name);
        let python = folder.join("bin/python");
        if !python.is_file() || run(stack, &python, &["-c", environment.check]).is_err() {
            let system = find_executable("python3").context("python3 is not installed")?;
            let folder = folder.to_string_lossy();
            run(stack, &system, &["-m", "venv", "--clear", &folder])?;
            let install = ["-m", "pip", "install", "-q", "--retries=0"];
            run(stack, &python, &[&install, environment.packages].concat())?;
        }
        Ok(Self(python))
    }

    /// A script, which is written to where it is run from.
    pub(crate) fn script(&self, stack: &Stack, name: &str, text: &str) -> Result<Program> {
        let file = stack.path(&format!("{name}.py"));
        std::fs::write(&file, text)?;
        Ok(Program::new(name, &self.0, stack.log(name)).args([file]))
    }
}

fn run(stack: &Stack, python: &Path, args: &[&str]) -> Result<()> {
    let program = Program::new("python", python, stack.log("python")).args(args);
    finish::run(&program, INSTALL_LIMIT, &stack.control)
        .with_context(|| format!("python {}", args.join(" ")))
}

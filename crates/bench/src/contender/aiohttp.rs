//! A checker in Python, in a virtual environment that is made once and kept in `target/bench`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use local_stack::{Process, Program, find_executable};

use super::AtWork;
use crate::finish;
use crate::ground::{Ground, kept_folder};
use crate::nginx::Scheme;

const SCRIPT: &str = include_str!("../../peers/aiohttp_checker.py");
const INSTALL_LIMIT: Duration = Duration::from_mins(3);

/// A Python that has aiohttp.
#[derive(Debug)]
pub(crate) struct Python(PathBuf);

impl Python {
    /// The one of an earlier run, else a new one.
    pub(crate) fn prepare(ground: &Ground) -> Result<Self> {
        let folder = kept_folder()?.join("python");
        let python = folder.join("bin/python");
        if !python.is_file() || run(ground, &python, &["-c", "import aiohttp"]).is_err() {
            let system = find_executable("python3").context("python3 is not installed")?;
            let environment = folder.to_string_lossy();
            run(ground, &system, &["-m", "venv", "--clear", &environment])?;
            run(
                ground,
                &python,
                &["-m", "pip", "install", "-q", "--retries=0", "aiohttp"],
            )?;
        }
        Ok(Self(python))
    }
}

pub(super) fn start(ground: &Ground, scheme: Scheme, python: &Python) -> Result<AtWork> {
    let Python(python) = python;
    let script = ground.path("aiohttp_checker.py");
    std::fs::write(&script, SCRIPT)?;
    let program = Program::new("aiohttp", python, ground.log("aiohttp"))
        .args([&script])
        .args([ground.nginx.url(scheme)])
        .args([ground.path("authority.pem")]);
    Process::start(&program).map(AtWork::alone)
}

fn run(ground: &Ground, python: &PathBuf, args: &[&str]) -> Result<()> {
    let program = Program::new("python", python, ground.log("python")).args(args);
    finish::run(&program, INSTALL_LIMIT, &ground.control)
}

//! A checker in Python.

use anyhow::Result;
use local_stack::Process;

use super::AtWork;
use crate::ground::Ground;
use crate::nginx::Scheme;
use crate::python::{Environment, Python};

pub(super) const ENVIRONMENT: Environment = Environment {
    name: "python",
    packages: &["aiohttp"],
    check: "import aiohttp",
};

const SCRIPT: &str = include_str!("../../peers/aiohttp_checker.py");

pub(super) fn start(ground: &Ground, scheme: Scheme, python: &Python) -> Result<AtWork> {
    let program = python
        .script(&ground.stack, "aiohttp_checker", SCRIPT)?
        .args([ground.nginx.url(scheme)])
        .args([ground.stack.path("authority.pem")]);
    Process::start(&program).map(AtWork::alone)
}

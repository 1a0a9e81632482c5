//! Peers that have to be got before they can be measured, or why they cannot be had.

use anyhow::Result;

use super::go::{GoProgram, Source};
use super::{aiohttp, cloudprober, gatus};
use crate::console;
use crate::ground::Ground;
use crate::python::Python;

/// Each of them, or what to tell in its stead.
pub(crate) struct Peers {
    pub(super) python: Result<Python, String>,
    pub(super) gatus: Result<GoProgram, String>,
    pub(super) cloudprober: Result<GoProgram, String>,
}

impl Peers {
    /// Those of an earlier run, and new ones: that may take minutes.
    pub(crate) fn prepare(ground: &Ground) -> Result<Self> {
        let python = told(
            "aiohttp",
            Python::prepare(aiohttp::ENVIRONMENT, &ground.stack),
        );
        ground.stack.control.check()?;
        let gatus = built(gatus::SOURCE, ground)?;
        let cloudprober = built(cloudprober::SOURCE, ground)?;
        Ok(Self {
            python,
            gatus,
            cloudprober,
        })
    }
}

fn built(source: Source, ground: &Ground) -> Result<Result<GoProgram, String>> {
    console::say(&format!("  getting {}", source.name));
    let program = told(source.name, source.prepare(ground));
    ground.stack.control.check()?;
    Ok(program)
}

/// The whole story goes to whoever runs this, its first line into the report.
fn told<T>(name: &str, got: Result<T>) -> Result<T, String> {
    got.map_err(|error| {
        let story = format!("{error:#}");
        console::say(&format!("  no {name}: {story}"));
        story.lines().next().unwrap_or_default().to_owned()
    })
}

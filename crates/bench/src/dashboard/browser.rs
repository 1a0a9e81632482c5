//! A browser, and what it tells of a visit.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use local_stack::{Program, find_executable};
use serde::{Deserialize, Serialize};

use crate::finish;
use crate::stack::Stack;
use crate::statistics::Spread;

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../dashboard/browser/measure.mjs"
);
const LIMIT: Duration = Duration::from_mins(3);
/// By the names that it has on different systems.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// What it takes to visit a page.
pub(super) struct Browser {
    node: PathBuf,
    chromium: PathBuf,
}

/// What came of one visit.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Visit {
    pub(super) sent: Sent,
    pub(super) first_rows_ms: f64,
    pub(super) interactive_ms: f64,
    /// All tasks of more than 50 ms until then.
    pub(super) long_tasks_ms: f64,
    /// From each key to the rows.
    pub(super) searches_ms: Vec<f64>,
    pub(super) updates: Vec<Update>,
    /// In each second of scrolling.
    pub(super) frames_per_second: Vec<f64>,
    pub(super) longest_frame_ms: f64,
    pub(super) scrolled_px: f64,
    pub(super) heap_bytes: f64,
}

/// Bytes of the first load, as they were sent.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct Sent {
    pub(super) document: f64,
    pub(super) script: f64,
    pub(super) style: f64,
    pub(super) font: f64,
    pub(super) answers: f64,
    pub(super) other: f64,
}

/// What a new answer cost the main thread.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct Update {
    pub(super) busy_ms: f64,
    /// The longest task of more than 50 ms; zero without one.
    pub(super) longest_ms: f64,
}

impl Sent {
    pub(super) fn total(&self) -> f64 {
        self.document + self.script + self.style + self.font + self.answers + self.other
    }
}

impl Visit {
    pub(super) fn frame_rate(&self) -> f64 {
        median(self.frames_per_second.iter().copied())
    }

    pub(super) fn search(&self) -> f64 {
        median(self.searches_ms.iter().copied())
    }

    pub(super) fn slowest_search(&self) -> f64 {
        self.searches_ms.iter().copied().fold(0.0, f64::max)
    }

    pub(super) fn update(&self) -> f64 {
        median(self.updates.iter().map(|update| update.busy_ms))
    }

    pub(super) fn longest_task_of_an_update(&self) -> f64 {
        let longest = self.updates.iter().map(|update| update.longest_ms);
        longest.fold(0.0, f64::max)
    }
}

fn median(numbers: impl IntoIterator<Item = f64>) -> f64 {
    Spread::of(numbers).map_or(0.0, |spread| spread.median)
}

impl Browser {
    pub(super) fn find() -> Result<Self> {
        let node = find_executable("node").context("Node.js is not installed")?;
        let mut browsers = BROWSERS.into_iter();
        let chromium = browsers.find_map(find_executable);
        let chromium = chromium.context("there is no Chromium, and nothing to measure without")?;
        Ok(Self { node, chromium })
    }

    /// Opens the page at `url` in a browser of its own, and looks around; some seconds of that, it scrolls.
    pub(super) fn visit(&self, stack: &Stack, url: &str, seconds: u32) -> Result<Visit> {
        let program = Program::new("node", &self.node, stack.log("visit"))
            .args([SCRIPT, url, &seconds.to_string()])
            .env("BROWSER", &self.chromium);
        finish::run(&program, LIMIT, &stack.control)?;
        let text = fs::read_to_string(stack.log("visit")).context("the visit left nothing")?;
        let line = text.lines().rfind(|line| line.starts_with('{'));
        let visit = serde_json::from_str(line.context("the visit says nothing")?);
        visit.context("cannot understand what was measured")
    }
}

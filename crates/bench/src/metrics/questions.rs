//! What answers of the library cost, as a program finds out that knows the library.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::Amounts;
use super::data::Extent;
use crate::finish;
use crate::stack::Stack;

const PROGRAM: &str = "metrics_cost";
const LIMIT: Duration = Duration::from_mins(15);

/// Everything that it found.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Questions {
    pub(crate) samples: Vec<Sample>,
    /// By which part of it a percentile was wrong, at most.
    pub(crate) error: f64,
}

/// One way of asking one kind of question in one round.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Sample {
    pub(crate) round: u32,
    pub(crate) question: Question,
    pub(crate) way: Way,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// CPU microseconds of each, of the library and of the database.
    pub(crate) program_micros: f64,
    pub(crate) database_micros: f64,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Question {
    /// The bare round trip.
    Nothing,
    /// What a site's checks of 24 hours came to.
    Day,
    /// The same of all days that there are.
    Days,
    /// The last hundred checks of a site.
    Page,
    /// Outages of a site in a month.
    Outages,
    /// All sites: states, uptime and percentiles of 24 hours.
    Overview,
    /// Two parts of that, as plain SQL has them.
    UptimeOfEachSite,
    P95OfEachSite,
}

/// How it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    Ours,
    /// In SQL over the checks.
    Plain,
    /// Ours, with nothing kept of earlier answers.
    Cold,
    /// Ours, when nothing is new since the last answer.
    Unchanged,
    /// Ours, when there are new checks of one in six sites.
    Some,
    /// Ours, when there are new checks of all sites.
    All,
}

pub(super) fn ask(
    stack: &Stack,
    database: &str,
    extent: &Extent,
    amounts: &Amounts,
) -> Result<Questions> {
    let file = stack.path("questions.json");
    let arguments = [
        extent.end.to_rfc3339(),
        extent.days.to_string(),
        amounts.rounds.to_string(),
        amounts.questions.to_string(),
        file.to_string_lossy().into_owned(),
    ];
    let program = stack.example(PROGRAM, database).args(arguments);
    finish::run(&program, LIMIT, &stack.control)?;
    let text = fs::read_to_string(&file).context("no answers were written")?;
    serde_json::from_str(&text).context("cannot understand what was measured")
}

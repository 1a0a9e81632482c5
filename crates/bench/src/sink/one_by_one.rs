//! The way of a first version: one insert and one commit for each message, in Python.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use local_stack::Process;

use super::meter::{self, Look, Pace};
use crate::python::{Environment, Python};
use crate::stack::Stack;

pub(crate) const ENVIRONMENT: Environment = Environment {
    name: "python-sink",
    packages: &["confluent-kafka", "psycopg[binary]"],
    check: "import confluent_kafka, psycopg",
};

const SCRIPT: &str = include_str!("../../peers/one_by_one_sink.py");
const START_LIMIT: Duration = Duration::from_mins(1);
/// Rows before the window opens.
const WARM_UP: u64 = 300;

/// Lets it work for a while.
pub(crate) fn fill(
    stack: &Stack,
    database: &str,
    topic: &str,
    python: &Result<Python, String>,
    length: Duration,
) -> Result<Pace> {
    let python = python.as_ref().map_err(|reason| anyhow!(reason.clone()))?;
    stack.empty_database(database)?;
    meter::settle(stack)?;
    let program = python.script(stack, "one_by_one_sink", SCRIPT)?.args([
        stack.brokers(),
        topic.to_owned(),
        database.to_owned(),
        stack.postgres().url_of(database),
    ]);
    let process = Process::start(&program)?;
    watch(stack, process, "check_results", database, (WARM_UP, length))
}

/// Watches a process that fills a table: from when it has some rows, for a time.
pub(super) fn watch(
    stack: &Stack,
    mut process: Process,
    table: &str,
    database: &str,
    (warm_up, length): (u64, Duration),
) -> Result<Pace> {
    // There is no table before the process has made it.
    let rows = || meter::count(stack, database, table);
    let warm = stack.control.poll(START_LIMIT, || {
        process.fail_if_exited()?;
        Ok(rows().ok().filter(|rows| *rows >= warm_up))
    })?;
    warm.with_context(|| format!("it stores hardly anything\n{}", process.log().tail()))?;
    let before = Look::now(stack, process.id(), rows)?;
    stack.control.poll(length, || Ok(None::<()>))?;
    let after = Look::now(stack, process.id(), rows)?;
    process.fail_if_exited()?;
    before.until(&after)
}

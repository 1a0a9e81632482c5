//! Rollups that a sink makes while nothing else is to be done.

use std::time::Duration;

use anyhow::{Context as _, Result};
use chrono::TimeDelta;

use crate::stack::Stack;

/// How long an hour that is over stays open.
pub(crate) const SETTLING: TimeDelta = TimeDelta::minutes(2);

/// Waits until this is true of `rollup_progress`.
pub(crate) fn wait_until(
    stack: &Stack,
    database: &str,
    condition: &str,
    limit: Duration,
) -> Result<()> {
    let ask = format!("SELECT {condition} FROM rollup_progress");
    let reached = stack.control.poll(limit, || {
        let reached = stack.postgres().query(database, &ask)?;
        Ok((reached == "t").then_some(()))
    })?;
    reached.context("the sink does not roll up what there is")
}

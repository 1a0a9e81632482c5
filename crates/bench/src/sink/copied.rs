//! The limit: the server reads the very same rows from a file of its own.

use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::meter::{self, Look, Pace};
use crate::stack::Stack;

/// The table behind the view `checks`.
pub(crate) const TABLE: &str = "check_results";

/// Rows in a file that the server can read.
#[derive(Clone, Debug)]
pub(crate) struct Export {
    file: PathBuf,
    days: Vec<String>,
    rows: u64,
}

/// Writes what a finished run has stored, in the order in which it lies there.
pub(crate) fn export(stack: &Stack, database: &str) -> Result<Export> {
    let file = stack.postgres().directory().join("rows.bin");
    let copy = format!(
        "COPY (SELECT * FROM {TABLE}) TO '{}' (FORMAT binary)",
        file.display()
    );
    stack.postgres().query(database, &copy)?;
    let days = format!("SELECT DISTINCT (scheduled_at AT TIME ZONE 'UTC')::DATE FROM {TABLE}");
    let days = stack.postgres().query(database, &days)?;
    Ok(Export {
        file,
        days: days.lines().map(str::to_owned).collect(),
        rows: meter::count(stack, database, TABLE)?,
    })
}

/// Makes a new database, and has the server fill it in one transaction.
pub(crate) fn fill(stack: &Stack, database: &str, export: &Export) -> Result<Pace> {
    stack.database(database)?;
    for day in &export.days {
        let create = format!("SELECT create_{TABLE}_partition('{day}')");
        stack.postgres().query(database, &create)?;
    }
    meter::settle(stack)?;
    let copy = format!(
        "COPY {TABLE} FROM '{}' (FORMAT binary)",
        export.file.display()
    );
    let before = Look::now(stack, 0, || Ok(0))?;
    stack.postgres().query(database, &copy)?;
    let after = Look::now(stack, 0, || meter::count(stack, database, TABLE))?;
    ensure!(after.rows == export.rows, "not every row was copied");
    before.until(&after)
}

//! What stored checks cost afterwards: rolling up the hours and the day that are over, packing the
//! day's key, and the room on the disk before and after.

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::copied::TABLE;
use super::meter::{self, Look};
use super::ours::{Route, Sink};
use crate::stack::Stack;

/// Counts once all hours and the day have been computed.
const ROLLED_UP: &str = "sink_rollup_rows_total{period=\"day\"}";
/// Counts when a round of maintenance has ended, whose last step is packing.
const ROUNDS: &str = "sink_maintenance_seconds_count";

/// What was measured, for each check.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Upkeep {
    /// CPU microseconds of the sink and of PostgreSQL.
    pub(crate) rollup_micros: f64,
    pub(crate) packing_micros: f64,
    /// Bytes of the checks' tables and indexes.
    pub(crate) bytes_open: f64,
    pub(crate) bytes_closed: f64,
    /// Bytes of the rollups.
    pub(crate) bytes_rolled_up: f64,
}

/// Lets a sink look after what another one has filled. Nothing is left in the topic for it.
pub(crate) fn measure(stack: &Stack, route: Route<'_>) -> Result<Upkeep> {
    let rows = meter::count(stack, route.database, TABLE)?;
    let bytes_open = bytes_of(stack, route.database, &[TABLE], rows)?;
    meter::settle(stack)?;
    let before = Look::now(stack, 0, || Ok(0))?;
    let mut sink = Sink::start(stack, route)?;
    sink.wait_for_metric(stack, ROLLED_UP, 0.0)?;
    let rounds = sink.metric(ROUNDS)?;
    let rolled_up = Look::now(stack, sink.id(), || Ok(rows))?;
    sink.wait_for_metric(stack, ROUNDS, rounds)?;
    let packed = Look::now(stack, sink.id(), || Ok(rows + rows))?;
    sink.stop()?;
    let rolling_up = before.until(&rolled_up)?;
    let packing = rolled_up.until(&packed)?;
    let rollups = ["rollup_hours", "rollup_days"];
    Ok(Upkeep {
        rollup_micros: rolling_up.client_micros + rolling_up.postgres_micros,
        packing_micros: packing.client_micros + packing.postgres_micros,
        bytes_open,
        bytes_closed: bytes_of(stack, route.database, &[TABLE], rows)?,
        bytes_rolled_up: bytes_of(stack, route.database, &rollups, rows)?,
    })
}

/// Bytes of tables, their partitions, indexes and whatever belongs to them, for each of `rows`.
fn bytes_of(stack: &Stack, database: &str, tables: &[&str], rows: u64) -> Result<f64> {
    let names = tables.iter().map(|table| format!("'{table}'::REGCLASS"));
    let names = names.collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT sum(pg_total_relation_size(oid)) / {rows}.0 FROM pg_class
         WHERE oid IN ({names})
            OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent IN ({names}))"
    );
    let text = stack.postgres().query(database, &sql)?;
    text.parse()
        .with_context(|| format!("cannot understand {text:?}"))
}

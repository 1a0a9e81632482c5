//! Rows by `COPY`: the fastest way into a table, for rows that are not there yet.
//!
//! The format is PostgreSQL's binary one (its manual, "COPY", "Binary Format"): each value as its
//! type's send function writes it, behind its length. A value of an enum is its label.

use monitor_core::event::Warning;
use serde::Serialize;
use sqlx::PgConnection;

use super::batch::Row;
use super::names::Names;
use super::values::{Evidence, Numbers};
use crate::error::StoreError;

const STATEMENT: &str = "COPY check_results (
    site_id, scheduled_at, checker_id, outcome, content, region_id, attempts, started_after_ms,
    dns_us, connect_us, tls_us, first_byte_us, transfer_us, total_us, failure_kind, failure_phase,
    status_code, suspect, warnings, failure_detail, evidence
) FROM STDIN (FORMAT binary)";

const COLUMNS: i16 = 21;
/// Signature, no flags, no extension of the header.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: i16 = -1;
/// Bytes of an ordinary row; only to reserve room.
const ROW_BYTES: usize = 160;
/// Microseconds from 1970 to 2000, where PostgreSQL begins to count.
const POSTGRES_EPOCH_US: i64 = 946_684_800_000_000;

/// Copies all rows, or none when one of them is there already.
pub(super) async fn rows(
    connection: &mut PgConnection,
    names: &Names,
    rows: &[Row<'_>],
) -> Result<(), StoreError> {
    let data = encode(rows, names.warning_type())?;
    let copied = async {
        let mut copy = connection.copy_in_raw(STATEMENT).await?;
        copy.send(data).await?;
        copy.finish().await
    };
    copied
        .await
        .map(drop)
        .map_err(StoreError::doing("cannot copy checks"))
}

fn encode(rows: &[Row<'_>], warning_type: u32) -> Result<Vec<u8>, StoreError> {
    let mut data = Data(Vec::with_capacity(HEADER.len() + rows.len() * ROW_BYTES));
    data.0.extend_from_slice(HEADER);
    for row in rows {
        data.row(row, warning_type)?;
    }
    data.0.extend_from_slice(&TRAILER.to_be_bytes());
    Ok(data.0)
}

struct Data(Vec<u8>);

impl Data {
    fn row(&mut self, row: &Row<'_>, warning_type: u32) -> Result<(), StoreError> {
        let event = row.event;
        let numbers = Numbers::of(event)?;
        self.0.extend_from_slice(&COLUMNS.to_be_bytes());
        self.value(row.site_id.to_be_bytes());
        let scheduled_at = row.scheduled_at.timestamp_micros() - POSTGRES_EPOCH_US;
        self.value(scheduled_at.to_be_bytes());
        self.value(row.checker_id.to_be_bytes());
        self.text(event.outcome.into());
        self.text(event.content.into());
        self.value(row.region_id.to_be_bytes());
        self.value(numbers.attempts.to_be_bytes());
        self.number(numbers.started_after_ms);
        for phase in numbers.phases_us {
            self.number(phase);
        }
        let failure = event.failure.as_ref();
        self.optional_text(failure.map(|failure| failure.kind.into()));
        self.optional_text(failure.and_then(|failure| failure.phase.map(Into::into)));
        match numbers.status_code {
            Some(code) => self.value(code.to_be_bytes()),
            None => self.null(),
        }
        self.value([u8::from(event.suspect)]);
        self.warnings(&event.warnings, warning_type);
        self.optional_text(failure.map(|failure| failure.detail.as_str()));
        match Evidence::of(event) {
            Some(evidence) => self.json(&evidence)?,
            None => self.null(),
        }
        Ok(())
    }

    fn null(&mut self) {
        self.0.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    fn value<const N: usize>(&mut self, bytes: [u8; N]) {
        self.length(N);
        self.0.extend_from_slice(&bytes);
    }

    fn number(&mut self, number: Option<i32>) {
        match number {
            Some(number) => self.value(number.to_be_bytes()),
            None => self.null(),
        }
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn optional_text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }

    /// An array of one dimension whose indices begin with 1.
    fn warnings(&mut self, warnings: &[Warning], warning_type: u32) {
        if warnings.is_empty() {
            return self.null();
        }
        self.sized(|data| {
            let (dimensions, nulls, first) = (1_i32, 0_i32, 1_i32);
            data.0.extend_from_slice(&dimensions.to_be_bytes());
            data.0.extend_from_slice(&nulls.to_be_bytes());
            data.0.extend_from_slice(&warning_type.to_be_bytes());
            data.length(warnings.len());
            data.0.extend_from_slice(&first.to_be_bytes());
            for warning in warnings {
                data.text(warning.into());
            }
        });
    }

    /// Version 1 of the format is the JSON as text.
    fn json(&mut self, value: &impl Serialize) -> Result<(), StoreError> {
        let mut written = Ok(());
        self.sized(|data| {
            data.0.push(1);
            written = serde_json::to_writer(&mut data.0, value);
        });
        written.map_err(|error| StoreError::Value(format!("evidence is not JSON: {error}")))
    }

    /// What `write` appends, with its length before it.
    fn sized(&mut self, write: impl FnOnce(&mut Self)) {
        let at = self.0.len();
        self.length(0);
        let start = self.0.len();
        write(self);
        let length = length(self.0.len() - start);
        self.0[at..start].copy_from_slice(&length);
    }

    fn length(&mut self, bytes: usize) {
        self.0.extend_from_slice(&length(bytes));
    }
}

/// A text of 2 GiB never gets here; the server would refuse it as malformed.
fn length(bytes: usize) -> [u8; 4] {
    i32::try_from(bytes).unwrap_or(i32::MAX).to_be_bytes()
}

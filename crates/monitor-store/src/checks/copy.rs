//! Rows by `COPY`: the fastest way into a table, for rows that are not there yet.

use monitor_core::event::Warning;
use sqlx::PgConnection;

use super::batch::Row;
use super::values::Numbers;
use crate::copy_data::CopyData;
use crate::error::StoreError;

const STATEMENT: &str = "COPY check_results (
    site_id, scheduled_at, checker_id, outcome, content, region_id, attempts, started_after_ms,
    dns_us, connect_us, tls_us, first_byte_us, transfer_us, total_us, failure_kind, failure_phase,
    status_code, suspect, warnings, failure_detail, evidence
) FROM STDIN (FORMAT binary)";

const COLUMNS: i16 = 21;
/// Rows that are sent at a time: while the server takes them in, the next are written.
const PIECE: usize = 500;
/// Bytes of an ordinary row; only to reserve room.
const ROW_BYTES: usize = 160;

/// Copies all rows, or none when one of them is there already.
pub(super) async fn rows(
    connection: &mut PgConnection,
    rows: &[Row<'_>],
    warning_type: u32,
) -> Result<(), StoreError> {
    let doing = StoreError::doing;
    let mut data = CopyData::new(COLUMNS, rows.len().min(PIECE) * ROW_BYTES);
    let copy = connection.copy_in_raw(STATEMENT).await;
    let mut copy = copy.map_err(doing("cannot begin to copy checks"))?;
    for piece in rows.chunks(PIECE) {
        let written = piece
            .iter()
            .try_for_each(|row| write(&mut data, row, warning_type));
        if let Err(error) = written {
            let aborted = copy.abort("a value does not fit").await;
            return aborted
                .map_err(doing("cannot stop copying checks"))
                .and(Err(error));
        }
        let sent = data.send_piece(&mut copy).await;
        sent.map_err(doing("cannot copy checks"))?;
    }
    let copied = data.finish(copy).await;
    copied.map_err(doing("cannot copy checks"))
}

fn write(data: &mut CopyData, row: &Row<'_>, warning_type: u32) -> Result<(), StoreError> {
    let event = row.event;
    let numbers = Numbers::of(event)?;
    data.row();
    data.value(row.site_id.to_be_bytes());
    data.instant(row.scheduled_at);
    data.value(row.checker_id.to_be_bytes());
    data.text(event.outcome.into());
    data.text(event.content.into());
    data.value(row.region_id.to_be_bytes());
    data.value(numbers.attempts.to_be_bytes());
    data.number(numbers.started_after_ms);
    for phase in numbers.phases_us {
        data.number(phase);
    }
    let failure = event.failure.as_ref();
    data.optional_text(failure.map(|failure| failure.kind.into()));
    data.optional_text(failure.and_then(|failure| failure.phase.map(Into::into)));
    match numbers.status_code {
        Some(code) => data.value(code.to_be_bytes()),
        None => data.null(),
    }
    data.value([u8::from(event.suspect)]);
    warnings(data, &event.warnings, warning_type);
    data.optional_text(failure.map(|failure| failure.detail.as_ref()));
    match &event.evidence {
        Some(evidence) => data.json(evidence)?,
        None => data.null(),
    }
    Ok(())
}

fn warnings(data: &mut CopyData, warnings: &[Warning], warning_type: u32) {
    if warnings.is_empty() {
        data.null();
    } else {
        data.array(warning_type, warnings.iter(), |data, warning| {
            data.text(warning.into());
        });
    }
}

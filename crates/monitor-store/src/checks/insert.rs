//! Rows by `INSERT`, which can tell those that are there already from those that are new.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use monitor_core::event::{Evidence, Text};
use sqlx::PgConnection;
use sqlx::types::Json;

use super::batch::Row;
use super::values::{Numbers, warnings};
use crate::error::StoreError;

/// One vector per column of `check_results`.
#[derive(Default)]
struct Columns<'a> {
    site_id: Vec<i64>,
    scheduled_at: Vec<DateTime<Utc>>,
    checker_id: Vec<i32>,
    outcome: Vec<&'static str>,
    content: Vec<&'static str>,
    region_id: Vec<i16>,
    attempts: Vec<i16>,
    started_after_ms: Vec<Option<i32>>,
    phases_us: [Vec<Option<i32>>; 6],
    failure_kind: Vec<Option<&'static str>>,
    failure_phase: Vec<Option<&'static str>>,
    status_code: Vec<Option<i16>>,
    suspect: Vec<bool>,
    /// As the text of an array, because arrays of arrays must be rectangular.
    warnings: Vec<Option<String>>,
    failure_detail: Vec<Option<&'a str>>,
    evidence: Vec<Option<Json<&'a Evidence<Text<'a>>>>>,
}

impl<'a> Columns<'a> {
    fn of(rows: &[Row<'a>]) -> Result<Self, StoreError> {
        let mut columns = Self::default();
        for row in rows {
            columns.push(row)?;
        }
        Ok(columns)
    }

    fn push(&mut self, row: &Row<'a>) -> Result<(), StoreError> {
        let event = row.event;
        let numbers = Numbers::of(event)?;
        self.site_id.push(row.site_id);
        self.scheduled_at.push(row.scheduled_at);
        self.checker_id.push(row.checker_id);
        self.outcome.push(event.outcome.into());
        self.content.push(event.content.into());
        self.region_id.push(row.region_id);
        self.attempts.push(numbers.attempts);
        self.started_after_ms.push(numbers.started_after_ms);
        for (column, phase) in self.phases_us.iter_mut().zip(numbers.phases_us) {
            column.push(phase);
        }
        let failure = event.failure.as_ref();
        self.failure_kind
            .push(failure.map(|failure| failure.kind.into()));
        self.failure_phase
            .push(failure.and_then(|failure| failure.phase.map(Into::into)));
        self.status_code.push(numbers.status_code);
        self.suspect.push(event.suspect);
        self.warnings.push(warnings(&event.warnings));
        self.failure_detail
            .push(failure.map(|failure| failure.detail.as_ref()));
        self.evidence.push(event.evidence.as_deref().map(Json));
        Ok(())
    }
}

/// Inserts the rows and returns those that are new or replaced another.
///
/// A row that is there already stays as it is, except that a real result replaces a `missed` or an
/// `error`.
pub(super) async fn rows<'a>(
    connection: &mut PgConnection,
    rows: &[Row<'a>],
) -> Result<Vec<Row<'a>>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let stored = upsert(connection, &Columns::of(rows)?)
        .await
        .map_err(StoreError::doing("cannot store checks"))?;
    if stored.len() == rows.len() {
        return Ok(rows.to_vec());
    }
    let is_stored = |row: &&Row<'_>| stored.contains(&row.key());
    Ok(rows.iter().filter(is_stored).copied().collect())
}

/// Returns the keys of the rows that are new or replaced.
#[expect(clippy::too_many_lines, reason = "one statement over twenty columns")]
async fn upsert(
    connection: &mut PgConnection,
    columns: &Columns<'_>,
) -> Result<HashSet<(i64, i16, DateTime<Utc>)>, sqlx::Error> {
    let [dns, connect, tls, first_byte, transfer, total] = &columns.phases_us;
    let stored = sqlx::query!(
        r#"-- checks.upsert
        INSERT INTO check_results AS known (
            site_id, scheduled_at, checker_id, outcome, content, region_id, attempts,
            started_after_ms, dns_us, connect_us, tls_us, first_byte_us, transfer_us, total_us,
            failure_kind, failure_phase, status_code, suspect, warnings, failure_detail, evidence
        )
        SELECT
            site_id, scheduled_at, checker_id, outcome::outcome, content::content_match, region_id,
            attempts, started_after_ms, dns_us, connect_us, tls_us, first_byte_us, transfer_us,
            total_us, failure_kind::failure_kind, failure_phase::check_phase, status_code, suspect,
            warnings::check_warning[], failure_detail, evidence
        FROM unnest(
            $1::BIGINT[], $2::TIMESTAMPTZ[], $3::INTEGER[], $4::TEXT[], $5::TEXT[],
            $6::SMALLINT[], $7::SMALLINT[], $8::INTEGER[], $9::INTEGER[], $10::INTEGER[],
            $11::INTEGER[], $12::INTEGER[], $13::INTEGER[], $14::INTEGER[], $15::TEXT[],
            $16::TEXT[], $17::SMALLINT[], $18::BOOLEAN[], $19::TEXT[], $20::TEXT[], $21::JSONB[]
        ) AS event (
            site_id, scheduled_at, checker_id, outcome, content, region_id, attempts,
            started_after_ms, dns_us, connect_us, tls_us, first_byte_us, transfer_us, total_us,
            failure_kind, failure_phase, status_code, suspect, warnings, failure_detail, evidence
        )
        ORDER BY site_id, region_id, scheduled_at
        ON CONFLICT (site_id, region_id, scheduled_at) DO UPDATE SET (
            checker_id, outcome, content, attempts, started_after_ms, dns_us, connect_us, tls_us,
            first_byte_us, transfer_us, total_us, failure_kind, failure_phase, status_code,
            suspect, warnings, failure_detail, evidence
        ) = ROW (
            EXCLUDED.checker_id, EXCLUDED.outcome, EXCLUDED.content, EXCLUDED.attempts,
            EXCLUDED.started_after_ms, EXCLUDED.dns_us, EXCLUDED.connect_us, EXCLUDED.tls_us,
            EXCLUDED.first_byte_us, EXCLUDED.transfer_us, EXCLUDED.total_us,
            EXCLUDED.failure_kind, EXCLUDED.failure_phase, EXCLUDED.status_code, EXCLUDED.suspect,
            EXCLUDED.warnings, EXCLUDED.failure_detail, EXCLUDED.evidence
        )
        WHERE known.outcome IN ('missed', 'error')
            AND EXCLUDED.outcome NOT IN ('missed', 'error')
        RETURNING site_id, region_id, scheduled_at"#,
        &columns.site_id,
        &columns.scheduled_at,
        &columns.checker_id,
        &columns.outcome as &[&str],
        &columns.content as &[&str],
        &columns.region_id,
        &columns.attempts,
        &columns.started_after_ms as &[Option<i32>],
        dns as &[Option<i32>],
        connect as &[Option<i32>],
        tls as &[Option<i32>],
        first_byte as &[Option<i32>],
        transfer as &[Option<i32>],
        total as &[Option<i32>],
        &columns.failure_kind as &[Option<&str>],
        &columns.failure_phase as &[Option<&str>],
        &columns.status_code as &[Option<i16>],
        &columns.suspect,
        &columns.warnings as &[Option<String>],
        &columns.failure_detail as &[Option<&str>],
        &columns.evidence as &[Option<Json<&Evidence<Text<'_>>>>],
    )
    .fetch_all(connection)
    .await?;
    let keys = stored
        .into_iter()
        .map(|row| (row.site_id, row.region_id, row.scheduled_at));
    Ok(keys.collect())
}

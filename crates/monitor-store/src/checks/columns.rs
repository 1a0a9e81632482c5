//! Events as columns, which is how one statement takes many.

use chrono::{DateTime, Utc};
use monitor_core::{CheckEvent, Outcome};
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::error::StoreError;

/// One vector per column of `checks`.
#[derive(Default)]
pub(super) struct Columns {
    site_id: Vec<i64>,
    scheduled_at: Vec<DateTime<Utc>>,
    started_at: Vec<Option<DateTime<Utc>>>,
    outcome: Vec<String>,
    failure_kind: Vec<Option<String>>,
    failure_phase: Vec<Option<String>>,
    content: Vec<String>,
    dns_us: Vec<Option<i32>>,
    connect_us: Vec<Option<i32>>,
    tls_us: Vec<Option<i32>>,
    first_byte_us: Vec<Option<i32>>,
    transfer_us: Vec<Option<i32>>,
    total_us: Vec<Option<i32>>,
    status_code: Vec<Option<i16>>,
    attempts: Vec<i16>,
    region: Vec<String>,
    checker: Vec<String>,
    /// As the text of an array, because arrays of arrays must be rectangular.
    warnings: Vec<Option<String>>,
    failure_detail: Vec<Option<String>>,
    evidence: Vec<Option<Value>>,
    suspect: Vec<bool>,
}

impl Columns {
    pub(super) fn of(events: &[&CheckEvent]) -> Result<Self, StoreError> {
        let mut columns = Self::default();
        for event in events {
            columns.push(event).map_err(|error| {
                StoreError::Value(format!(
                    "check {} does not fit the table: {error}",
                    event.id
                ))
            })?;
        }
        Ok(columns)
    }

    fn push(&mut self, event: &CheckEvent) -> Result<(), std::num::TryFromIntError> {
        let micros = |phase: Option<u32>| phase.map(i32::try_from).transpose();
        let times = &event.timings_us;
        self.site_id.push(event.site_id.0);
        self.scheduled_at.push(event.scheduled_at);
        self.started_at.push(event.started_at);
        self.outcome.push(event.outcome.to_string());
        self.content.push(event.content.to_string());
        self.dns_us.push(micros(times.dns)?);
        self.connect_us.push(micros(times.connect)?);
        self.tls_us.push(micros(times.tls)?);
        self.first_byte_us.push(micros(times.first_byte)?);
        self.transfer_us.push(micros(times.transfer)?);
        self.total_us.push(micros(times.total)?);
        self.status_code
            .push(event.status_code.map(i16::try_from).transpose()?);
        self.attempts.push(i16::try_from(event.attempts)?);
        self.region.push(event.region.to_string());
        self.checker.push(event.checker.clone());
        let failure = event.failure.as_ref();
        self.failure_kind
            .push(failure.map(|failure| failure.kind.to_string()));
        self.failure_phase
            .push(failure.and_then(|failure| Some(failure.phase?.to_string())));
        self.failure_detail
            .push(failure.map(|failure| failure.detail.clone()));
        self.warnings.push(warnings(event));
        self.evidence.push(evidence(event));
        self.suspect.push(event.suspect);
        Ok(())
    }
}

fn warnings(event: &CheckEvent) -> Option<String> {
    let names: Vec<_> = event.warnings.iter().map(ToString::to_string).collect();
    (!names.is_empty()).then(|| format!("{{{}}}", names.join(",")))
}

/// The facts of a check that was not simply up. Those of the others hardly ever differ and would
/// be most of the table.
fn evidence(event: &CheckEvent) -> Option<Value> {
    let telling = event.outcome != Outcome::Up && (event.http.is_some() || event.tls.is_some());
    telling.then(|| json!({"http": event.http, "tls": event.tls}))
}

/// Inserts all rows, in the order of the key, which keeps two writers from waiting for each other
/// in a circle. Returns how many rows are new or replaced.
#[expect(clippy::too_many_lines, reason = "one statement over twenty columns")]
pub(super) async fn upsert(
    connection: &mut PgConnection,
    columns: Columns,
) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        r#"-- checks.upsert
        INSERT INTO checks (
            site_id, scheduled_at, started_at, outcome, failure_kind, failure_phase, content,
            dns_us, connect_us, tls_us, first_byte_us, transfer_us, total_us, status_code,
            attempts, region, checker, warnings, failure_detail, evidence, suspect
        )
        SELECT
            site_id, scheduled_at, started_at, outcome::outcome, failure_kind::failure_kind,
            failure_phase::check_phase, content::content_match, dns_us, connect_us, tls_us,
            first_byte_us, transfer_us, total_us, status_code, attempts, region, checker,
            warnings::check_warning[], failure_detail, evidence, suspect
        FROM unnest(
            $1::BIGINT[], $2::TIMESTAMPTZ[], $3::TIMESTAMPTZ[], $4::TEXT[], $5::TEXT[],
            $6::TEXT[], $7::TEXT[], $8::INTEGER[], $9::INTEGER[], $10::INTEGER[],
            $11::INTEGER[], $12::INTEGER[], $13::INTEGER[], $14::SMALLINT[], $15::SMALLINT[],
            $16::TEXT[], $17::TEXT[], $18::TEXT[], $19::TEXT[], $20::JSONB[],
            $21::BOOLEAN[]
        ) AS event (
            site_id, scheduled_at, started_at, outcome, failure_kind, failure_phase, content,
            dns_us, connect_us, tls_us, first_byte_us, transfer_us, total_us, status_code,
            attempts, region, checker, warnings, failure_detail, evidence, suspect
        )
        ORDER BY site_id, region, scheduled_at
        ON CONFLICT (site_id, region, scheduled_at) DO UPDATE SET (
            started_at, outcome, failure_kind, failure_phase, content, dns_us, connect_us, tls_us,
            first_byte_us, transfer_us, total_us, status_code, attempts, checker, warnings,
            failure_detail, evidence, suspect
        ) = ROW (
            EXCLUDED.started_at, EXCLUDED.outcome, EXCLUDED.failure_kind, EXCLUDED.failure_phase,
            EXCLUDED.content, EXCLUDED.dns_us, EXCLUDED.connect_us, EXCLUDED.tls_us,
            EXCLUDED.first_byte_us, EXCLUDED.transfer_us, EXCLUDED.total_us, EXCLUDED.status_code,
            EXCLUDED.attempts, EXCLUDED.checker, EXCLUDED.warnings, EXCLUDED.failure_detail,
            EXCLUDED.evidence, EXCLUDED.suspect
        )
        WHERE checks.outcome IN ('missed', 'error')
            AND EXCLUDED.outcome NOT IN ('missed', 'error')"#,
        &columns.site_id,
        &columns.scheduled_at,
        &columns.started_at as &[Option<DateTime<Utc>>],
        &columns.outcome,
        &columns.failure_kind as &[Option<String>],
        &columns.failure_phase as &[Option<String>],
        &columns.content,
        &columns.dns_us as &[Option<i32>],
        &columns.connect_us as &[Option<i32>],
        &columns.tls_us as &[Option<i32>],
        &columns.first_byte_us as &[Option<i32>],
        &columns.transfer_us as &[Option<i32>],
        &columns.total_us as &[Option<i32>],
        &columns.status_code as &[Option<i16>],
        &columns.attempts,
        &columns.region,
        &columns.checker,
        &columns.warnings as &[Option<String>],
        &columns.failure_detail as &[Option<String>],
        &columns.evidence as &[Option<Value>],
        &columns.suspect,
    )
    .execute(connection)
    .await
    .map_err(StoreError::doing("cannot store checks"))?;
    Ok(done.rows_affected())
}

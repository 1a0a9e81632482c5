//! What is kept beside the rows, in their transaction: the latest state of each site and region,
//! marks of changed hours, where the rows are in time, and the progress of the consumer.

mod fold;
mod marks;
mod stretches;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgTransaction};

use self::fold::{Summary, summaries};
use self::marks::Marks;
use self::stretches::Stretches;
use super::batch::Row;
use super::values::warnings;
use crate::error::StoreError;
use crate::progress::Progress;

/// Keeps up with `rows`, which are in the order of their key and were stored in this transaction.
pub(super) async fn update(
    transaction: &mut PgTransaction<'_>,
    rows: &[Row<'_>],
    progress: Option<&Progress<'_>>,
) -> Result<(), StoreError> {
    let states = States::of(rows);
    let (marks, stretches) = (Marks::of(rows), Stretches::of(rows));
    let offsets = Offsets::of(progress);
    if rows.is_empty() && offsets.partition.is_empty() {
        return Ok(());
    }
    let doing = StoreError::doing;
    let unsure = write(transaction, &states, &marks, &stretches, &offsets)
        .await
        .map_err(doing("cannot keep the state of sites"))?;
    if !unsure.is_empty() {
        look_up_beginnings(transaction, &unsure)
            .await
            .map_err(doing("cannot look up since when sites are as they are"))?;
    }
    Ok(())
}

/// One vector per column of `site_state`.
#[derive(Default)]
struct States<'a> {
    site_id: Vec<i64>,
    region_id: Vec<i16>,
    scheduled_at: Vec<DateTime<Utc>>,
    outcome: Vec<&'static str>,
    failure_kind: Vec<Option<&'static str>>,
    failure_phase: Vec<Option<&'static str>>,
    failure_detail: Vec<Option<&'a str>>,
    status_code: Vec<Option<i16>>,
    total_us: Vec<Option<i32>>,
    warnings: Vec<Option<String>>,
    cert_not_after: Vec<Option<DateTime<Utc>>>,
    cert_seen_at: Vec<Option<DateTime<Utc>>>,
    last_verdict: Vec<Option<&'static str>>,
    last_verdict_at: Vec<Option<DateTime<Utc>>>,
    since: Vec<Option<DateTime<Utc>>>,
    other_verdict_at: Vec<Option<DateTime<Utc>>>,
}

impl<'a> States<'a> {
    fn of(rows: &[Row<'a>]) -> Self {
        let mut states = Self::default();
        for summary in summaries(rows) {
            states.push(&summary);
        }
        states
    }

    fn push(&mut self, summary: &Summary<'a>) {
        let (row, event) = (summary.latest, summary.latest.event);
        self.site_id.push(row.site_id);
        self.region_id.push(row.region_id);
        self.scheduled_at.push(row.scheduled_at);
        self.outcome.push(event.outcome.into());
        let failure = event.failure.as_ref();
        self.failure_kind
            .push(failure.map(|failure| failure.kind.into()));
        self.failure_phase
            .push(failure.and_then(|failure| failure.phase.map(Into::into)));
        self.failure_detail
            .push(failure.map(|failure| failure.detail.as_ref()));
        let code = event.status_code.and_then(|code| i16::try_from(code).ok());
        self.status_code.push(code);
        let total = event.timings_us.total;
        self.total_us
            .push(total.and_then(|total| i32::try_from(total).ok()));
        self.warnings.push(warnings(&event.warnings));
        let (seen_at, not_after) = summary.certificate.unzip();
        self.cert_seen_at.push(seen_at);
        self.cert_not_after.push(not_after);
        let verdict = summary.verdict.as_ref();
        self.last_verdict
            .push(verdict.map(|verdict| verdict.last.into()));
        self.last_verdict_at
            .push(verdict.map(|verdict| verdict.last_at));
        self.since.push(verdict.map(|verdict| verdict.since));
        self.other_verdict_at
            .push(verdict.and_then(|verdict| verdict.other_at));
    }
}

/// How far the consumer has come, in the order of the partitions.
#[derive(Default)]
struct Offsets<'a> {
    group: &'a str,
    topic: &'a str,
    partition: Vec<i32>,
    next_offset: Vec<i64>,
}

impl<'a> Offsets<'a> {
    fn of(progress: Option<&Progress<'a>>) -> Self {
        let Some(progress) = progress else {
            return Self::default();
        };
        let mut offsets: Vec<_> = progress.next_offsets.iter().collect();
        offsets.sort_unstable();
        let (partition, next_offset) = offsets.into_iter().unzip();
        Self {
            group: progress.group,
            topic: progress.topic,
            partition,
            next_offset,
        }
    }
}

/// Writes all four by one statement, and returns the sites and regions whose `since` only the rows
/// can tell.
///
/// Of two sets of verdicts, the later last one decides how the site is; the last one to the contrary
/// is the latest of either; and `since` is the first one after that, which is known unless late rows
/// have come in between. An hour that has not ended gets no mark: it was not computed yet. A mark
/// that is there stays as it is and is locked, so that nobody who does not see these rows takes it.
#[expect(
    clippy::too_many_lines,
    reason = "one statement instead of four round trips"
)]
async fn write(
    connection: &mut PgConnection,
    states: &States<'_>,
    marks: &Marks,
    stretches: &Stretches,
    offsets: &Offsets<'_>,
) -> Result<Vec<(i64, i16)>, sqlx::Error> {
    let unsure = sqlx::query!(
        r#"-- state.write
        WITH states AS (
            INSERT INTO site_state AS known (
                site_id, region_id, scheduled_at, outcome, failure_kind, failure_phase,
                failure_detail, status_code, total_us, cert_not_after, cert_seen_at, last_verdict,
                last_verdict_at, since, other_verdict_at, warnings
            )
            SELECT
                site_id, region_id, scheduled_at, outcome::outcome, failure_kind::failure_kind,
                failure_phase::check_phase, failure_detail, status_code, total_us, cert_not_after,
                cert_seen_at, last_verdict::outcome, last_verdict_at, since, other_verdict_at,
                warnings::check_warning[]
            FROM unnest(
                $1::BIGINT[], $2::SMALLINT[], $3::TIMESTAMPTZ[], $4::TEXT[], $5::TEXT[],
                $6::TEXT[], $7::TEXT[], $8::SMALLINT[], $9::INTEGER[], $10::TIMESTAMPTZ[],
                $11::TIMESTAMPTZ[], $12::TEXT[], $13::TIMESTAMPTZ[], $14::TIMESTAMPTZ[],
                $15::TIMESTAMPTZ[], $26::TEXT[]
            ) AS state (
                site_id, region_id, scheduled_at, outcome, failure_kind, failure_phase,
                failure_detail, status_code, total_us, cert_not_after, cert_seen_at, last_verdict,
                last_verdict_at, since, other_verdict_at, warnings
            )
            ORDER BY site_id, region_id
            ON CONFLICT (site_id, region_id) DO UPDATE SET
                scheduled_at = GREATEST(known.scheduled_at, EXCLUDED.scheduled_at),
                outcome = CASE WHEN EXCLUDED.scheduled_at >= known.scheduled_at
                    THEN EXCLUDED.outcome ELSE known.outcome END,
                failure_kind = CASE WHEN EXCLUDED.scheduled_at >= known.scheduled_at
                    THEN EXCLUDED.failure_kind ELSE known.failure_kind END,
                failure_phase = CASE WHEN EXCLUDED.scheduled_at >= known.scheduled_at
                    THEN EXCLUDED.failure_phase ELSE known.failure_phase END,
                failure_detail = CASE WHEN EXCLUDED.scheduled_at >= known.scheduled_at
                    THEN EXCLUDED.failure_detail ELSE known.failure_detail END,
                status_code = CASE WHEN EXCLUDED.scheduled_at >= known.scheduled_at
                    THEN EXCLUDED.status_code ELSE known.status_code END,
                total_us = CASE WHEN EXCLUDED.scheduled_at >= known.scheduled_at
                    THEN EXCLUDED.total_us ELSE known.total_us END,
                warnings = CASE WHEN EXCLUDED.scheduled_at >= known.scheduled_at
                    THEN EXCLUDED.warnings ELSE known.warnings END,
                cert_not_after = CASE
                    WHEN known.cert_seen_at IS NULL OR EXCLUDED.cert_seen_at > known.cert_seen_at
                    THEN EXCLUDED.cert_not_after ELSE known.cert_not_after END,
                cert_seen_at = GREATEST(known.cert_seen_at, EXCLUDED.cert_seen_at),
                last_verdict = CASE
                    WHEN known.last_verdict_at IS NULL
                        OR EXCLUDED.last_verdict_at > known.last_verdict_at
                    THEN EXCLUDED.last_verdict ELSE known.last_verdict END,
                last_verdict_at = GREATEST(known.last_verdict_at, EXCLUDED.last_verdict_at),
                other_verdict_at = CASE
                    WHEN known.last_verdict IS NULL THEN EXCLUDED.other_verdict_at
                    WHEN EXCLUDED.last_verdict IS NULL THEN known.other_verdict_at
                    WHEN (known.last_verdict = 'down') = (EXCLUDED.last_verdict = 'down')
                    THEN GREATEST(known.other_verdict_at, EXCLUDED.other_verdict_at)
                    WHEN EXCLUDED.last_verdict_at > known.last_verdict_at
                    THEN GREATEST(known.last_verdict_at, EXCLUDED.other_verdict_at)
                    ELSE GREATEST(EXCLUDED.last_verdict_at, known.other_verdict_at) END,
                since = CASE
                    WHEN known.last_verdict IS NULL
                        OR EXCLUDED.other_verdict_at > known.last_verdict_at
                    THEN EXCLUDED.since
                    WHEN EXCLUDED.last_verdict IS NULL THEN known.since
                    WHEN (known.last_verdict = 'down') = (EXCLUDED.last_verdict = 'down')
                        AND EXCLUDED.other_verdict_at IS NULL
                        AND (known.other_verdict_at IS NULL
                            OR EXCLUDED.since > known.other_verdict_at)
                    THEN LEAST(known.since, EXCLUDED.since)
                    WHEN (known.last_verdict = 'down') <> (EXCLUDED.last_verdict = 'down')
                        AND EXCLUDED.other_verdict_at IS NULL
                        AND EXCLUDED.since > known.last_verdict_at
                    THEN EXCLUDED.since
                    END
            RETURNING site_id, region_id, since IS NULL AND last_verdict IS NOT NULL AS unsure
        ),
        marks AS (
            INSERT INTO dirty_hours (site_id, region_id, hour)
            SELECT site_id, region_id, hour
            FROM unnest($16::BIGINT[], $17::SMALLINT[], $18::TIMESTAMPTZ[])
                AS mark (site_id, region_id, hour)
            WHERE hour + INTERVAL '1 hour' <= now()
            ORDER BY site_id, region_id, hour
            ON CONFLICT (site_id, region_id, hour) DO UPDATE SET hour = EXCLUDED.hour WHERE FALSE
        ),
        batches AS (
            INSERT INTO stored_batches (first_at, last_at, checks)
            SELECT first_at, last_at, checks
            FROM unnest($23::TIMESTAMPTZ[], $24::TIMESTAMPTZ[], $25::INTEGER[])
                AS stretch (first_at, last_at, checks)
        ),
        progress AS (
            INSERT INTO sink_progress (group_name, topic, partition, next_offset, updated_at)
            SELECT $19::TEXT, $20::TEXT, partition, next_offset, now()
            FROM unnest($21::INTEGER[], $22::BIGINT[]) AS reached (partition, next_offset)
            ORDER BY partition
            ON CONFLICT (group_name, topic, partition) DO UPDATE SET
                next_offset = EXCLUDED.next_offset, updated_at = EXCLUDED.updated_at
        )
        SELECT site_id, region_id FROM states WHERE unsure"#,
        &states.site_id,
        &states.region_id,
        &states.scheduled_at,
        &states.outcome as &[&str],
        &states.failure_kind as &[Option<&str>],
        &states.failure_phase as &[Option<&str>],
        &states.failure_detail as &[Option<&str>],
        &states.status_code as &[Option<i16>],
        &states.total_us as &[Option<i32>],
        &states.cert_not_after as &[Option<DateTime<Utc>>],
        &states.cert_seen_at as &[Option<DateTime<Utc>>],
        &states.last_verdict as &[Option<&str>],
        &states.last_verdict_at as &[Option<DateTime<Utc>>],
        &states.since as &[Option<DateTime<Utc>>],
        &states.other_verdict_at as &[Option<DateTime<Utc>>],
        &marks.site_id,
        &marks.region_id,
        &marks.hour,
        offsets.group,
        offsets.topic,
        &offsets.partition,
        &offsets.next_offset,
        &stretches.first_at,
        &stretches.last_at,
        &stretches.checks,
        &states.warnings as &[Option<String>],
    )
    .fetch_all(connection)
    .await?;
    Ok(unsure
        .into_iter()
        .map(|row| (row.site_id, row.region_id))
        .collect())
}

/// Finds the first verdict of the present kind after the last one to the contrary. Their rows are
/// locked, so whoever else has late ones finds these.
async fn look_up_beginnings(
    connection: &mut PgConnection,
    unsure: &[(i64, i16)],
) -> Result<(), sqlx::Error> {
    let (sites, regions): (Vec<_>, Vec<_>) = unsure.iter().copied().unzip();
    sqlx::query!(
        r#"-- state.look_up_beginnings
        UPDATE site_state AS state
        SET since = coalesce(
            (
                SELECT result.scheduled_at
                FROM check_results AS result
                WHERE result.site_id = state.site_id
                    AND result.region_id = state.region_id
                    AND result.scheduled_at > coalesce(state.other_verdict_at, '-infinity')
                    AND result.scheduled_at <= state.last_verdict_at
                    AND result.outcome IN ('up', 'degraded', 'down')
                    AND (result.outcome = 'down') = (state.last_verdict = 'down')
                ORDER BY result.scheduled_at
                LIMIT 1
            ),
            state.last_verdict_at
        )
        FROM unnest($1::BIGINT[], $2::SMALLINT[]) AS unsure (site_id, region_id)
        WHERE state.site_id = unsure.site_id AND state.region_id = unsure.region_id"#,
        &sites,
        &regions
    )
    .execute(connection)
    .await
    .map(drop)
}

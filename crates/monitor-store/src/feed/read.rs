//! Reading what was stored, and which checks that were.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use monitor_core::event::Evidence;
use monitor_core::metric::StoredCheck;
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};

use super::position::{Batch, FeedPosition, Snapshot};
use super::spans::{Span, spans};
use crate::error::StoreError;
use crate::stored_checks::{CheckRow, select};

/// Most notes that are looked at for one page.
const MOST_NOTES: i64 = 1_000;

/// How the database is.
pub(super) struct Look {
    pub(super) now: Snapshot,
    pub(super) oldest: Batch,
    pub(super) newest: Batch,
    pub(super) last_is_there: bool,
}

struct LookRow {
    now: String,
    on_standby: bool,
    oldest_xid: String,
    oldest_at: DateTime<Utc>,
    newest_xid: String,
    newest_at: DateTime<Utc>,
    last_is_there: bool,
}

/// Looks at what there is, and whether the last batch of `position` is.
pub(super) async fn look(
    executor: impl PgExecutor<'_>,
    position: Option<&FeedPosition>,
) -> Result<Look, StoreError> {
    let last = position.map(|position| position.last);
    let row = sqlx::query_as!(
        LookRow,
        r#"-- feed.look
        SELECT
            pg_current_snapshot()::TEXT AS "now!",
            pg_is_in_recovery() AS "on_standby!",
            oldest.xid::TEXT AS "oldest_xid!",
            oldest.stored_at AS oldest_at,
            newest.xid::TEXT AS "newest_xid!",
            newest.stored_at AS newest_at,
            EXISTS (
                SELECT FROM stored_batches
                WHERE xid = $1::TEXT::XID8 AND stored_at = $2
            ) AS "last_is_there!"
        FROM
            (SELECT xid, stored_at FROM stored_batches ORDER BY xid LIMIT 1) AS oldest,
            (SELECT xid, stored_at FROM stored_batches ORDER BY xid DESC LIMIT 1) AS newest"#,
        last.map(|last| last.xid.to_string()),
        last.map(|last| last.stored_at)
    )
    .fetch_one(executor)
    .await
    .map_err(StoreError::doing("cannot look at the feed"))?;
    if row.on_standby {
        let why = "the feed cannot be read from a standby server";
        return Err(StoreError::Value(why.to_owned()));
    }
    let batch = |xid: &str, stored_at| {
        Ok(Batch {
            xid: number(xid)?,
            stored_at,
        })
    };
    let now: Snapshot = row.now.parse().map_err(|_| unreadable(&row.now))?;
    let oldest = batch(&row.oldest_xid, row.oldest_at)?;
    Ok(Look {
        // What is open for longer than batches are kept is none, and may be in another database.
        now: now.since(oldest.xid),
        oldest,
        newest: batch(&row.newest_xid, row.newest_at)?,
        last_is_there: row.last_is_there,
    })
}

fn number(xid: &str) -> Result<u64, StoreError> {
    xid.parse().map_err(|_| unreadable(xid))
}

fn unreadable(text: &str) -> StoreError {
    StoreError::Value(format!("the database says {text:?} of transactions"))
}

/// Where rows of a transaction are in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) first_at: DateTime<Utc>,
    pub(super) last_at: DateTime<Utc>,
}

/// A transaction and where its rows are.
pub(super) struct Noted {
    pub(super) batch: Batch,
    notes: Vec<Note>,
    checks: i64,
}

/// The first batches that were not seen.
pub(super) struct Found {
    pub(super) batches: Vec<Noted>,
    /// Whether there are more.
    pub(super) more: bool,
}

struct NoteRow {
    xid: String,
    first_at: DateTime<Utc>,
    last_at: DateTime<Utc>,
    stored_at: DateTime<Utc>,
    checks: i32,
}

/// The batches that had ended `now` and are not among those `seen`, from the first on: as many as
/// have `checks` checks, but one at least.
pub(super) async fn batches(
    connection: &mut PgConnection,
    seen: &Snapshot,
    now: &Snapshot,
    checks: u32,
) -> Result<Found, StoreError> {
    let rows = sqlx::query_as!(
        NoteRow,
        r#"-- feed.batches
        SELECT xid::TEXT AS "xid!", first_at, last_at, stored_at, checks
        FROM stored_batches
        WHERE xid >= $1::TEXT::XID8
            AND xid < $2::TEXT::XID8
            AND NOT pg_visible_in_snapshot(xid, $3::TEXT::PG_SNAPSHOT)
        ORDER BY stored_batches.xid
        FETCH FIRST $4 ROWS WITH TIES"#,
        seen.first_open().to_string(),
        now.end().to_string(),
        seen.to_string(),
        MOST_NOTES
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing("cannot read what was stored"))?;
    let more = i64::try_from(rows.len()).is_ok_and(|rows| rows >= MOST_NOTES);
    let mut found = Found {
        batches: group(rows)?,
        more,
    };
    let mut total = 0;
    let mut fits = |noted: &Noted| {
        total += noted.checks;
        total <= i64::from(checks)
    };
    let fitting = found
        .batches
        .iter()
        .take_while(|noted| fits(noted))
        .count()
        .max(1);
    found.more |= fitting < found.batches.len();
    found.batches.truncate(fitting);
    Ok(found)
}

/// Puts the notes of each transaction together.
fn group(rows: Vec<NoteRow>) -> Result<Vec<Noted>, StoreError> {
    let mut batches: Vec<Noted> = Vec::new();
    for row in rows {
        let xid = number(&row.xid)?;
        if batches.last().is_none_or(|noted| noted.batch.xid != xid) {
            let stored_at = row.stored_at;
            batches.push(Noted {
                batch: Batch { xid, stored_at },
                notes: Vec::new(),
                checks: 0,
            });
        }
        if let Some(noted) = batches.last_mut() {
            noted.checks += i64::from(row.checks);
            noted.notes.push(Note {
                first_at: row.first_at,
                last_at: row.last_at,
            });
        }
    }
    Ok(batches)
}

/// A transaction as rows name it: by its last 32 bits, which are enough to tell those of a day apart.
pub(super) fn short(xid: u64) -> u32 {
    u32::try_from(xid & u64::from(u32::MAX)).unwrap_or_default()
}

/// The checks of these batches, by transaction.
pub(super) async fn checks(
    connection: &mut PgConnection,
    batches: &[Noted],
) -> Result<HashMap<u32, Vec<StoredCheck>>, StoreError> {
    let of_batch = |noted: &Noted| {
        let xid = noted.batch.xid;
        noted.notes.clone().into_iter().map(move |note| (xid, note))
    };
    let notes: Vec<_> = batches.iter().flat_map(of_batch).collect();
    let mut checks: HashMap<u32, Vec<StoredCheck>> = HashMap::new();
    for span in spans(&notes) {
        for row in rows(connection, &span).await? {
            let xmin = row.xmin.parse().map_err(|_| unreadable(&row.xmin))?;
            checks.entry(xmin).or_default().push(row.into_check()?);
        }
    }
    for checks in checks.values_mut() {
        checks.sort_by(|one, other| order(one).cmp(&order(other)));
    }
    Ok(checks)
}

fn order(check: &StoredCheck) -> impl Ord {
    (check.scheduled_at, check.site_id, check.region.as_str())
}

async fn rows(connection: &mut PgConnection, span: &Span) -> Result<Vec<CheckRow>, StoreError> {
    let xids: Vec<_> = span
        .xids
        .iter()
        .map(|xid| short(*xid).to_string())
        .collect();
    select!(
        "feed.checks",
        "FROM check_results AS result
        JOIN regions ON regions.id = result.region_id
        JOIN checkers ON checkers.id = result.checker_id
        WHERE result.scheduled_at >= $1
            AND result.scheduled_at <= $2
            AND result.xmin = ANY (ARRAY (SELECT unnest($3::TEXT[])::XID))",
        span.first_at,
        span.last_at,
        &xids
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing("cannot read the checks of the feed"))
}

//! Every event is exactly one row.

use std::collections::HashMap;

use anyhow::ensure;
use chrono::{DateTime, Utc};
use monitor_core::{CheckEvent, Outcome};
use sqlx::PgPool;

use super::topic::messages;
use crate::wait::eventually;
use crate::world::World;

/// What identifies a result.
type Identity = (i64, String, DateTime<Utc>);

/// What was stored of a result, or sent.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fact {
    outcome: String,
    failure: Option<String>,
    status: Option<i16>,
    total_us: Option<i32>,
    checker: String,
}

/// How much went in and came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Events in the topic.
    pub events: usize,
    /// Different slots among them.
    pub slots: usize,
    /// Rows.
    pub rows: usize,
}

impl Account {
    /// Events that told of a slot that another one had told of.
    #[must_use]
    pub fn repeated(&self) -> usize {
        self.events - self.slots
    }
}

/// What a topic still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// All that was ever in it.
    Everything,
    /// Something of it: the topic was made anew, or its retention took messages.
    Something,
}

/// Waits until every slot that an event of the topic tells of has its row. Fails unless each has
/// exactly one, which says what an event said (a real result, if there was one), and there are no
/// others, if the topic still holds everything.
pub async fn every_event_is_one_row(
    world: &World,
    brokers: &str,
    kept: Kept,
) -> anyhow::Result<Account> {
    let topic = &world.environment["KAFKA_TOPIC"];
    let mut sent: HashMap<Identity, Vec<Fact>> = HashMap::new();
    let mut account = Account {
        events: 0,
        slots: 0,
        rows: 0,
    };
    for message in messages(brokers, topic)? {
        // What is no event is somebody else's concern.
        if let Ok(event) = CheckEvent::decode(&message.payload) {
            account.events += 1;
            let facts = sent.entry(identity(&event)).or_default();
            facts.push(Fact::of(&event));
        }
    }
    account.slots = sent.len();
    let stored = eventually("every event has its row", || async {
        let stored = stored(&world.database).await?;
        let missing = sent.keys().filter(|slot| !stored.contains_key(*slot));
        let missing: Vec<_> = missing.collect();
        ensure!(
            missing.is_empty(),
            "{} have none: {:?}",
            missing.len(),
            missing.first()
        );
        Ok(Some(stored))
    })
    .await?;
    account.rows = stored.len();
    for (slot, fact) in &stored {
        let Some(facts) = sent.get(slot) else {
            ensure!(kept == Kept::Something, "nobody sent {slot:?}: {fact:?}");
            continue;
        };
        ensure!(
            facts.contains(fact),
            "{slot:?}: stored {fact:?}, sent {facts:?}"
        );
        let real = facts.iter().any(Fact::is_real);
        ensure!(
            fact.is_real() || !real,
            "{slot:?}: stored {fact:?}, sent {facts:?}"
        );
    }
    no_row_exists_twice(&world.database).await?;
    Ok(account)
}

/// Fails if two rows have the same identity, whatever table or partition they are in.
pub async fn no_row_exists_twice(database: &PgPool) -> anyhow::Result<()> {
    let twice: Vec<(i64, String, DateTime<Utc>, i64)> = sqlx::query_as(
        "SELECT site_id, region, scheduled_at, count(*) FROM checks \
         GROUP BY site_id, region, scheduled_at HAVING count(*) > 1",
    )
    .fetch_all(database)
    .await?;
    ensure!(twice.is_empty(), "stored more than once: {twice:?}");
    Ok(())
}

async fn stored(database: &PgPool) -> anyhow::Result<HashMap<Identity, Fact>> {
    type Row = (
        i64,
        String,
        DateTime<Utc>,
        String,
        Option<String>,
        Option<i16>,
        Option<i32>,
        String,
    );
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT site_id, region, scheduled_at, outcome::TEXT, failure_kind::TEXT, status_code, \
         total_us, checker FROM checks",
    )
    .fetch_all(database)
    .await?;
    let rows = rows.into_iter().map(|row| {
        let (site, region, at, outcome, failure, status, total_us, checker) = row;
        let fact = Fact {
            outcome,
            failure,
            status,
            total_us,
            checker,
        };
        ((site, region, at), fact)
    });
    Ok(rows.collect())
}

fn identity(event: &CheckEvent) -> Identity {
    (
        event.site_id.0,
        event.region.to_string(),
        event.scheduled_at,
    )
}

impl Fact {
    fn of(event: &CheckEvent) -> Self {
        Self {
            outcome: event.outcome.to_string(),
            failure: event
                .failure
                .as_ref()
                .map(|failure| failure.kind.to_string()),
            status: event.status_code.and_then(|code| i16::try_from(code).ok()),
            total_us: event.timings_us.total.and_then(|us| i32::try_from(us).ok()),
            checker: event.checker.clone(),
        }
    }

    /// Whether it tells something about the site.
    fn is_real(&self) -> bool {
        let real = [Outcome::Up, Outcome::Degraded, Outcome::Down];
        real.iter()
            .any(|outcome| outcome.to_string() == self.outcome)
    }
}

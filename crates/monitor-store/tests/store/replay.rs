//! However events are cut into batches, repeated and reordered, the same is stored.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::{CheckEvent, Outcome};
use monitor_store::{CheckWriter, PgConnection};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use sqlx::PgPool;
use tokio::runtime::Handle;

use crate::sample::{event, instant, slot};
use crate::stored::write;

/// Site, region, and which of its slots.
type Key = (i64, &'static str, i64);

/// What is told of a slot: that it was not checked, a real result, or both.
type Told = (Option<Outcome>, Option<Outcome>);

/// Known only by the rows that are left in the end.
#[derive(Debug, Default, PartialEq)]
struct Expected {
    /// As site, region, instant and outcome.
    rows: BTreeSet<String>,
    /// As site, region, latest slot, outcome, last verdict, since.
    states: BTreeSet<String>,
    marks: BTreeSet<String>,
}

fn slots() -> impl Strategy<Value = BTreeMap<Key, Told>> {
    let key = (1..3_i64, prop::sample::select(&["eu", "us"][..]), 0..20_i64);
    let verdict = prop::sample::select(&[Outcome::Up, Outcome::Degraded, Outcome::Down][..]);
    let other = prop::sample::select(&[Outcome::Missed, Outcome::Error][..]);
    let told = prop_oneof![
        4 => verdict.clone().prop_map(|verdict| (None, Some(verdict))),
        1 => other.clone().prop_map(|other| (Some(other), None)),
        2 => (other, verdict).prop_map(|(other, verdict)| (Some(other), Some(verdict))),
    ];
    prop::collection::btree_map(key, told, 1..40)
}

/// Slots, all that is told of them in any order and partly twice, and the sizes of the batches.
fn deliveries() -> impl Strategy<Value = (BTreeMap<Key, Told>, Vec<CheckEvent>, Vec<usize>)> {
    let shuffled = |slots: BTreeMap<Key, Told>| {
        let mut events: Vec<_> = slots
            .iter()
            .flat_map(|(key, told)| events(*key, *told))
            .collect();
        let again: Vec<_> = events.iter().step_by(3).cloned().collect();
        events.extend(again);
        (Just(slots), Just(events).prop_shuffle())
    };
    let sizes = prop::collection::vec(1..12_usize, 1..12);
    (slots().prop_flat_map(shuffled), sizes)
        .prop_map(|((slots, events), sizes)| (slots, events, sizes))
}

fn at(number: i64) -> DateTime<Utc> {
    instant(600 * number)
}

fn events((site, region, number): Key, told: Told) -> impl Iterator<Item = CheckEvent> {
    let slot = slot(site, region, at(number));
    [told.0, told.1]
        .into_iter()
        .flatten()
        .map(move |outcome| event(&slot, outcome))
}

/// Thought out anew, from all slots at once.
fn expected(slots: &BTreeMap<Key, Told>) -> Expected {
    let mut expected = Expected::default();
    let mut series = BTreeMap::<_, Vec<_>>::new();
    for ((site, region, number), (other, verdict)) in slots {
        let outcome = verdict.or(*other).unwrap();
        let row = format!("{site} {region} {} {outcome}", at(*number));
        expected.rows.insert(row);
        let hour = at(*number) - TimeDelta::minutes(*number % 6 * 10);
        expected.marks.insert(format!("{site} {region} {hour}"));
        let one = series.entry((site, region)).or_default();
        one.push((at(*number), outcome));
    }
    for ((site, region), checks) in series {
        let (last_at, last) = checks.last().unwrap();
        let mut verdicts = checks
            .iter()
            .rev()
            .filter(|(_, outcome)| outcome.is_verdict());
        let verdict = verdicts.next().map(|(first_at, first)| {
            let same = |(_, outcome): &&(_, Outcome)| outcome.is_success() == first.is_success();
            let since = verdicts
                .take_while(same)
                .last()
                .map_or(first_at, |(at, _)| at);
            format!("{first} {since}")
        });
        let state = format!("{site} {region} {last_at} {last} {verdict:?}");
        expected.states.insert(state);
    }
    expected
}

async fn texts(connection: &mut PgConnection, query: &'static str) -> Vec<String> {
    sqlx::query_scalar(query)
        .fetch_all(connection)
        .await
        .unwrap()
}

async fn found(connection: &mut PgConnection) -> Expected {
    let rows = "SELECT concat_ws(' ', site_id, region,
            to_char(scheduled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC'), outcome) FROM checks";
    let states = "SELECT concat_ws(' ', site_id, region,
            to_char(scheduled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC'), outcome,
            CASE WHEN last_verdict IS NULL THEN 'None' ELSE
                format('Some(\"%s %s\")', last_verdict,
                    to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC')) END)
        FROM current_state";
    let marks = "SELECT concat_ws(' ', site_id, name,
            to_char(hour AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC'))
        FROM dirty_hours JOIN regions ON id = region_id";
    Expected {
        rows: texts(connection, rows).await.into_iter().collect(),
        states: texts(connection, states).await.into_iter().collect(),
        marks: texts(connection, marks).await.into_iter().collect(),
    }
}

async fn deliver(writer: &mut CheckWriter, mut events: &[CheckEvent], sizes: &[usize]) -> Expected {
    for table in ["check_results", "site_state", "dirty_hours"] {
        let delete = sqlx::AssertSqlSafe(format!("DELETE FROM {table}"));
        sqlx::query(delete)
            .execute(writer.connection())
            .await
            .unwrap();
    }
    for size in sizes.iter().cycle() {
        let (batch, rest) = events.split_at(events.len().min(*size));
        write(writer, batch, None).await.unwrap();
        events = rest;
        if rest.is_empty() {
            break;
        }
    }
    found(writer.connection()).await
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn any_delivery_of_the_same_events_ends_in_the_same(pool: PgPool) {
    let mut writer = CheckWriter::new(pool.acquire().await.unwrap().detach());
    let handle = Handle::current();
    let cases = move || {
        let mut runner = TestRunner::new(Config {
            cases: 48,
            failure_persistence: None,
            ..Config::default()
        });
        let writer = std::cell::RefCell::new(&mut writer);
        runner.run(&deliveries(), |(slots, events, sizes)| {
            let mut writer = writer.borrow_mut();
            let found = handle.block_on(deliver(&mut writer, &events, &sizes));
            let expected = expected(&slots);
            if found == expected {
                return Ok(());
            }
            Err(TestCaseError::fail(format!(
                "{found:?}\ninstead of\n{expected:?}"
            )))
        })
    };
    let outcome = tokio::task::spawn_blocking(cases).await.unwrap();
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

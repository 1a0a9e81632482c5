//! Whoever follows what is stored sees all of it, whatever order it is stored in.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use monitor_core::metric::StoredCheck;
use monitor_core::{CheckEvent, Outcome};
use monitor_store::feed::{self, FeedAnswer, FeedPage, FeedPosition};
use monitor_store::maintenance::{self, Retention};
use monitor_store::{CheckWriter, PgConnection};
use sqlx::PgPool;

use crate::sample::{days, event, instant, many, slot};
use crate::stored::{store, write};
use crate::writers::{somebody_waits, writer};

const FOR_EVER: Retention = Retention {
    raw_days: None,
    rollup_days: None,
};

async fn answer(pool: &PgPool, position: &FeedPosition, checks: u32) -> FeedAnswer {
    feed::next(pool, position, checks).await.unwrap()
}

fn page(answer: FeedAnswer) -> Option<FeedPage> {
    match answer {
        FeedAnswer::Page(page) => Some(page),
        FeedAnswer::Expired { .. } => None,
    }
}

fn oldest(answer: FeedAnswer) -> Option<FeedPosition> {
    match answer {
        FeedAnswer::Page(_) => None,
        FeedAnswer::Expired { oldest } => Some(oldest),
    }
}

/// What is new after `position`, which moves on.
async fn new(pool: &PgPool, position: &mut FeedPosition) -> Vec<StoredCheck> {
    let page = page(answer(pool, position, 1_000_000).await).unwrap();
    assert!(!page.more);
    *position = page.next;
    let batches = page.batches.into_iter().map(|batch| batch.checks);
    batches.collect::<Vec<_>>().concat()
}

async fn put(pool: &PgPool, events: &[CheckEvent]) {
    let mut connection = pool.acquire().await.unwrap();
    store(&mut connection, events, None).await.unwrap();
}

fn ids(checks: &[StoredCheck]) -> Vec<String> {
    let mut ids: Vec<_> = checks.iter().map(|check| check.id.to_string()).collect();
    ids.sort_unstable();
    ids
}

fn ids_of(events: &[CheckEvent]) -> Vec<String> {
    let mut ids: Vec<_> = events.iter().map(|event| event.id.to_string()).collect();
    ids.sort_unstable();
    ids
}

/// One event of each of these sites.
fn sites(sites: impl IntoIterator<Item = i64>) -> Vec<CheckEvent> {
    let one = |site| event(&slot(site, "eu", instant(site)), Outcome::Up);
    sites.into_iter().map(one).collect()
}

async fn execute(connection: &mut PgConnection, statement: &'static str) {
    sqlx::raw_sql(statement).execute(connection).await.unwrap();
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_stored_check_says_what_its_event_said(pool: PgPool) {
    use Outcome::{Degraded, Down, Error, Missed, Up};
    let mut position = feed::latest(&pool).await.unwrap();
    let outcomes = [Up, Degraded, Down, Missed, Error];
    let one = |(site, outcome)| event(&slot(site, "eu", instant(site)), outcome);
    let events: Vec<_> = (1..).zip(outcomes).map(one).collect();
    put(&pool, &events).await;
    let checks = new(&pool, &mut position).await;
    assert_eq!(checks.len(), events.len());
    for (check, event) in checks.iter().zip(&events) {
        let mut expected = serde_json::to_value(event).unwrap();
        let fields = expected.as_object_mut().unwrap();
        fields.remove("schema");
        fields
            .entry("warnings")
            .or_insert_with(|| Vec::<u8>::new().into());
        fields.entry("suspect").or_insert(false.into());
        if event.outcome == Up {
            fields.insert("http".to_owned(), serde_json::Value::Null);
        }
        assert_eq!(serde_json::to_value(check).unwrap(), expected);
    }
    assert_eq!(new(&pool, &mut position).await, []);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_batch_that_ends_after_a_later_one_is_not_skipped(pool: PgPool) {
    let (mut slow, mut quick) = (writer(&pool).await, writer(&pool).await);
    write(&mut quick, &sites([1]), None).await.unwrap();
    let mut position = feed::latest(&pool).await.unwrap();

    // The slow one has written its first row when it meets this one.
    let mut hanging = pool.acquire().await.unwrap();
    let row = "BEGIN; INSERT INTO check_results (site_id, scheduled_at, checker_id, outcome,
            content, region_id, attempts, suspect)
        SELECT 3, '2026-01-05 10:00:03Z', 1, 'up', 'matched', id, 1, FALSE FROM regions";
    execute(&mut hanging, row).await;
    let late = sites([2, 3]);
    let read_meanwhile = async {
        somebody_waits(&pool).await;
        write(&mut quick, &sites([4]), None).await.unwrap();
        let first = new(&pool, &mut position).await;
        write(&mut quick, &sites([5]), None).await.unwrap();
        let second = new(&pool, &mut position).await;
        let third = new(&pool, &mut position).await;
        execute(&mut hanging, "ROLLBACK").await;
        (first, second, third)
    };
    let (stored, (first, second, third)) =
        tokio::join!(write(&mut slow, &late, None), read_meanwhile);
    assert_eq!(stored.unwrap().stored, 2);
    assert_eq!(ids(&first), ids_of(&sites([4])));
    assert_eq!(ids(&second), ids_of(&sites([5])));
    assert_eq!(third, []);
    assert_eq!(ids(&new(&pool, &mut position).await), ids_of(&late));
    assert_eq!(new(&pool, &mut position).await, []);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_check_that_replaces_another_is_seen_and_a_duplicate_is_not(pool: PgPool) {
    let mut position = feed::latest(&pool).await.unwrap();
    let before = position.clone();
    let (kept, replaced) = (slot(1, "eu", instant(0)), slot(2, "eu", instant(0)));
    put(
        &pool,
        &[event(&kept, Outcome::Up), event(&replaced, Outcome::Missed)],
    )
    .await;
    assert_eq!(new(&pool, &mut position).await.len(), 2);

    put(
        &pool,
        &[event(&kept, Outcome::Down), event(&replaced, Outcome::Down)],
    )
    .await;
    let seen = new(&pool, &mut position).await;
    assert_eq!(ids(&seen), [replaced.check_id().to_string()]);
    assert_eq!(seen[0].outcome, Outcome::Down);

    // Who comes later sees what it is now, once.
    let mut later = before;
    let seen = new(&pool, &mut later).await;
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].outcome, Outcome::Down);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn checks_of_days_ago_are_seen_when_they_are_stored(pool: PgPool) {
    put(&pool, &sites(1..=100)).await;
    let mut position = feed::latest(&pool).await.unwrap();
    // Small batches are inserted and large ones copied.
    for count in [200, 2_500] {
        let mut late = many(count);
        for (event, number) in late.iter_mut().zip(0..) {
            let at = instant(60 * number) - days(1 + count / 1_000) - days(number % 3);
            *event = crate::sample::event(&slot(1, "us", at), Outcome::Up);
        }
        put(&pool, &late).await;
        assert_eq!(ids(&new(&pool, &mut position).await), ids_of(&late));
    }
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn who_goes_on_from_any_batch_sees_the_rest_once(pool: PgPool) {
    let start = feed::oldest(&pool).await.unwrap();
    let mut writer = writer(&pool).await;
    for number in 0..12 {
        let batch = sites(number * 10 + 1..=number * 10 + 10);
        write(&mut writer, &batch, None).await.unwrap();
    }
    let (mut position, mut seen, mut pages) = (start, Vec::new(), 0);
    loop {
        // Passed on as text, and in pages of two batches and a half.
        let text = position.to_string().parse().unwrap();
        let page = page(answer(&pool, &text, 25).await).unwrap();
        for batch in &page.batches {
            let mut rest = batch.position.clone();
            seen.extend(ids(&batch.checks));
            let rest = ids(&new(&pool, &mut rest).await);
            assert_eq!(rest.len() + seen.len(), 120);
        }
        position = page.next;
        pages += 1;
        if !page.more {
            break;
        }
    }
    assert_eq!(pages, 6);
    seen.sort_unstable();
    assert_eq!(seen, ids_of(&sites(1..=120)));
}

/// Makes all that was stored older than what is kept.
async fn age(pool: &PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let older = "UPDATE stored_batches SET stored_at = stored_at - INTERVAL '25 hours'";
    execute(&mut connection, older).await;
}

async fn expire(pool: &PgPool) -> u64 {
    let mut connection = pool.acquire().await.unwrap();
    let expired = maintenance::expire(&mut connection, FOR_EVER).await;
    expired.unwrap().batches
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_position_of_more_than_a_day_ago_is_told_from_where_to_go_on(pool: PgPool) {
    let beginning = feed::oldest(&pool).await.unwrap();
    put(&pool, &sites([1])).await;
    put(&pool, &sites([2])).await;
    age(&pool).await;
    let old = feed::oldest(&pool).await.unwrap();
    let last = feed::latest(&pool).await.unwrap();
    // As long as nothing newer was stored, whoever has seen the last one has missed nothing.
    assert_eq!(expire(&pool).await, 0);
    assert_eq!(new(&pool, &mut last.clone()).await, []);
    assert_eq!(new(&pool, &mut old.clone()).await.len(), 2);

    put(&pool, &sites([3])).await;
    assert_eq!(expire(&pool).await, 3);
    for gone in [old, beginning] {
        let mut oldest = oldest(answer(&pool, &gone, 10).await).unwrap();
        let left = new(&pool, &mut oldest).await;
        assert_eq!(ids(&left), ids_of(&sites([3])));
    }
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_position_of_another_database_is_refused(pool: PgPool) {
    put(&pool, &sites([1])).await;
    let before = feed::latest(&pool).await.unwrap();
    put(&pool, &sites([2])).await;
    let after = feed::latest(&pool).await.unwrap();
    // A failover has lost the last batch, and another transaction has its number now.
    let mut connection = pool.acquire().await.unwrap();
    let lose = "DELETE FROM stored_batches WHERE xid = (SELECT max(xid) FROM stored_batches)";
    execute(&mut connection, lose).await;
    assert_eq!(page(answer(&pool, &after, 10).await), None);
    assert!(page(answer(&pool, &before, 10).await).is_some());

    // A copy has the batches, but not yet as many transactions.
    let text = before.to_string();
    let (_, last) = text.split_once('/').unwrap();
    let ahead = format!("999999999:999999999:/{last}").parse().unwrap();
    assert_eq!(page(answer(&pool, &ahead, 10).await), None);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn of_what_several_store_at_once_nothing_is_skipped_or_seen_twice(pool: PgPool) {
    let mut position = feed::latest(&pool).await.unwrap();
    let one = async |number: i64| {
        let mut writer: CheckWriter = writer(&pool).await;
        let mut stored = Vec::new();
        for batch in 0..15 {
            let first = number * 10_000 + batch * 100;
            let events = sites(first + 1..=first + 1 + batch % 7);
            write(&mut writer, &events, None).await.unwrap();
            stored.extend(ids_of(&events));
        }
        stored
    };
    let read = async {
        let (mut seen, mut batches) = (BTreeMap::<String, u32>::new(), 0);
        while batches < 4 * 15 {
            let page = page(answer(&pool, &position, 7).await).unwrap();
            batches += page.batches.len();
            for check in page.batches.iter().flat_map(|batch| &batch.checks) {
                *seen.entry(check.id.to_string()).or_default() += 1;
            }
            position = page.next;
        }
        seen
    };
    let (stored, seen) = tokio::join!(join_all((0..4).map(one)), read);
    let stored = stored.concat();
    assert!(seen.values().all(|times| *times == 1), "{seen:?}");
    assert_eq!(seen.len(), stored.len());
    assert!(stored.iter().all(|id| seen.contains_key(id)));
    assert_eq!(new(&pool, &mut position).await, []);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_batch_tells_when_it_was_stored(pool: PgPool) {
    let start = feed::latest(&pool).await.unwrap();
    let clock = "SELECT clock_timestamp()";
    let now =
        async || -> DateTime<Utc> { sqlx::query_scalar(clock).fetch_one(&pool).await.unwrap() };
    let before = now().await;
    put(&pool, &sites([1])).await;
    let page = page(answer(&pool, &start, 10).await).unwrap();
    let stored_at = page.batches[0].stored_at;
    assert!(before < stored_at && stored_at < now().await);
}

//! Several writers, also of the same events: each is one row, and nobody waits in a circle.

use std::collections::HashMap;

use futures_util::future::join_all;
use monitor_core::{CheckEvent, FailureKind, Outcome};
use monitor_store::{CheckWriter, ErrorClass, PgConnection, Progress, progress};
use sqlx::PgPool;

use crate::sample::{event, instant, many, slot};
use crate::stored::{store, write};

pub(crate) async fn writer(pool: &PgPool) -> CheckWriter {
    CheckWriter::new(pool.acquire().await.unwrap().detach())
}

async fn writers(pool: &PgPool, count: usize) -> Vec<CheckWriter> {
    join_all((0..count).map(|_| writer(pool))).await
}

/// All that the view shows, in order.
async fn rows(connection: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT to_jsonb(checks)::TEXT FROM checks ORDER BY site_id, region, scheduled_at",
    )
    .fetch_all(connection)
    .await
    .unwrap()
}

/// `count` events of all outcomes, of many sites.
fn mixed(count: i64) -> Vec<CheckEvent> {
    use Outcome::{Degraded, Down, Error, Missed, Up};
    let outcomes = [Up, Down, Degraded, Missed, Error, Up, Up];
    let one = |i: i64| {
        let outcome = outcomes[usize::try_from(i % 7).unwrap()];
        let region = ["eu", "us"][usize::try_from(i % 2).unwrap()];
        event(&slot(1 + i % 40, region, instant(i)), outcome)
    };
    (0..count).map(one).collect()
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_row_is_the_same_in_a_large_batch_and_in_a_small_one(pool: PgPool) {
    let mut writer = writer(&pool).await;
    let mut events = mixed(3_000);
    events[0].suspect = true;
    events[1].failure.as_mut().unwrap().kind = FailureKind::CertExpired;
    let stored = write(&mut writer, &events, None).await.unwrap();
    assert_eq!((stored.stored, stored.duplicates), (3_000, 0));
    let large = rows(writer.connection()).await;
    sqlx::query("TRUNCATE check_results")
        .execute(writer.connection())
        .await
        .unwrap();
    for small in events.chunks(500) {
        write(&mut writer, small, None).await.unwrap();
    }
    let small = rows(writer.connection()).await;
    assert_eq!(large.len(), 3_000);
    assert_eq!(large, small);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_large_batch_with_known_slots_adds_and_replaces_exactly_what_it_should(pool: PgPool) {
    let mut writer = writer(&pool).await;
    let events = mixed(3_000);
    let known: Vec<_> = events.iter().step_by(3).cloned().collect();
    write(&mut writer, &known, None).await.unwrap();
    let mut batch = events.clone();
    let mut replaced = 0;
    for event in &mut batch {
        if !event.outcome.is_verdict() {
            *event = crate::sample::event(&event.slot(), Outcome::Up);
            replaced += u64::from(known.iter().any(|known| known.id == event.id));
        }
    }
    let done = write(&mut writer, &batch, None).await.unwrap();
    let new = 3_000 - 1_000;
    assert!(replaced > 100, "{replaced}");
    assert_eq!(done.stored, new + replaced);
    assert_eq!(done.duplicates, 1_000 - replaced);

    let again = write(&mut writer, &events, None).await.unwrap();
    assert_eq!((again.stored, again.duplicates), (0, 3_000));
    let count = "SELECT count(*) FROM checks WHERE outcome IN ('missed', 'error')";
    let left: i64 = sqlx::query_scalar(count)
        .fetch_one(writer.connection())
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn writers_of_the_same_batches_in_any_order_store_each_event_once(pool: PgPool) {
    let events = mixed(8_000);
    // Three are copied and five are inserted.
    let mut batches: Vec<_> = events[..6_000].chunks(2_000).collect();
    batches.extend(events[6_000..].chunks(400));
    let one = |(seed, mut writer): (usize, CheckWriter)| {
        let mut random = fastrand::Rng::with_seed(seed as u64);
        let mut batches: Vec<_> = batches
            .iter()
            .map(|batch| {
                let mut batch: Vec<_> = batch.iter().collect();
                random.shuffle(&mut batch);
                batch
            })
            .collect();
        random.shuffle(&mut batches);
        async move {
            let mut stored = 0;
            for batch in batches {
                let done = write(&mut writer, batch, None).await.unwrap();
                stored += done.stored;
            }
            stored
        }
    };
    let writers = writers(&pool, 4).await.into_iter().enumerate();
    let stored = join_all(writers.map(one)).await;
    assert_eq!(stored.iter().sum::<u64>(), 8_000, "{stored:?}");
    let mut connection = pool.acquire().await.unwrap();
    assert_eq!(rows(&mut connection).await.len(), 8_000);
    // The first of them had no partition to store into, and no region.
    let names = "SELECT count(*) FROM regions";
    let regions: i64 = sqlx::query_scalar(names)
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert_eq!(regions, 2);
}

/// Resolves once somebody waits for a lock in this database.
pub(crate) async fn somebody_waits(pool: &PgPool) {
    let waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock')";
    while !sqlx::query_scalar::<_, bool>(waiting)
        .fetch_one(pool)
        .await
        .unwrap()
    {}
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_writer_waits_for_one_that_hangs_and_takes_over_what_becomes_of_it(pool: PgPool) {
    let mut writer = writer(&pool).await;
    write(&mut writer, &mixed(2), None).await.unwrap();
    for (end, first, stored) in [("ROLLBACK", 100_i64, 2_500), ("COMMIT", 10_000, 2_499)] {
        let site = |i| event(&slot(first + i, "us", instant(0)), Outcome::Up);
        let events: Vec<_> = (0..2_500).map(site).collect();
        let mut hanging = pool.begin().await.unwrap();
        sqlx::query(
            "INSERT INTO check_results (site_id, scheduled_at, checker_id, outcome, content,
                region_id, attempts, suspect)
            SELECT $1, $2, 1, 'up', 'matched', id, 1, FALSE FROM regions WHERE name = 'us'",
        )
        .bind(first + 700)
        .bind(instant(0))
        .execute(&mut *hanging)
        .await
        .unwrap();
        let end = async {
            somebody_waits(&pool).await;
            sqlx::query(end).execute(&mut *hanging).await.unwrap();
        };
        let (done, ()) = tokio::join!(write(&mut writer, &events, None), end);
        let done = done.unwrap();
        assert_eq!((done.stored, done.duplicates), (stored, 2_500 - stored));
    }
}

fn reached(next_offsets: &HashMap<i32, i64>) -> Progress<'_> {
    Progress {
        group: "sink",
        topic: "monitor.checks",
        next_offsets,
    }
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn progress_is_recorded_with_the_rows_and_not_without_them(pool: PgPool) {
    let mut writer = writer(&pool).await;
    let at = |offsets: [(i32, i64); 2]| HashMap::from(offsets);
    let mut events = many(2);
    let (first, second) = (at([(0, 10), (1, 7)]), at([(0, 12), (2, 1)]));
    let read = async |writer: &mut CheckWriter, group| {
        progress::read(writer.connection(), group, "monitor.checks")
            .await
            .unwrap()
    };
    assert_eq!(read(&mut writer, "sink").await, HashMap::new());
    let done = write(&mut writer, &events[..1], Some(&reached(&first))).await;
    assert_eq!(done.unwrap().stored, 1);
    assert_eq!(read(&mut writer, "sink").await, first);

    events[1].attempts = u16::MAX;
    let error = write(&mut writer, &events, Some(&reached(&second))).await;
    assert_eq!(error.unwrap_err().class(), ErrorClass::Poison);
    assert_eq!(read(&mut writer, "sink").await, first);

    // Also when all events were put aside, and also backwards.
    for next in [second, at([(0, 3), (2, 0)])] {
        write(&mut writer, [], Some(&reached(&next))).await.unwrap();
        let mut expected = next;
        expected.insert(1, 7);
        assert_eq!(read(&mut writer, "sink").await, expected);
    }
    assert_eq!(read(&mut writer, "other").await, HashMap::new());
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn names_get_one_id_each_whoever_meets_them_first(pool: PgPool) {
    let writers = writers(&pool, 4).await;
    let stores = writers
        .into_iter()
        .zip(0_i64..)
        .map(|(mut writer, number)| {
            let one = move |i: i64| {
                let region = format!("region-{}", (i + number) % 8);
                let mut event = event(&slot(1 + i, &region, instant(number)), Outcome::Up);
                event.checker = format!("checker-{}", (i * 3 + number) % 8);
                event
            };
            let events: Vec<_> = (0..16).map(one).collect();
            async move {
                write(&mut writer, &events, None).await.unwrap();
                events
            }
        });
    let stored = join_all(stores).await.concat();
    let mut connection = pool.acquire().await.unwrap();
    for event in &stored {
        let names: (String, String) =
            sqlx::query_as("SELECT region, checker FROM checks WHERE site_id = $1 AND region = $2 AND scheduled_at = $3")
                .bind(event.site_id.0)
                .bind(event.region.as_str())
                .bind(event.scheduled_at)
                .fetch_one(&mut *connection)
                .await
                .unwrap();
        assert_eq!(names, (event.region.to_string(), event.checker.clone()));
    }
    let counts: (i64, i64) =
        sqlx::query_as("SELECT (SELECT count(*) FROM regions), (SELECT count(*) FROM checkers)")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
    assert_eq!(counts, (8, 8));
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_name_keeps_its_id_when_the_batch_that_brought_it_is_refused(pool: PgPool) {
    let mut writer = writer(&pool).await;
    let mut events = many(2);
    let http = events[1].http.as_mut().unwrap();
    http.remote_addr = Some("a\0b".to_owned());
    events[1].outcome = Outcome::Down;
    let error = write(&mut writer, &events, None).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Poison, "{error}");
    events.truncate(1);
    write(&mut writer, &events, None).await.unwrap();
    let known = rows(writer.connection()).await;
    assert_eq!(known.len(), 1);
    assert!(known[0].contains("\"region\": \"eu\""), "{known:?}");
    let done = store(&mut pool.acquire().await.unwrap(), &events, None).await;
    assert_eq!(done.unwrap().duplicates, 1);
}

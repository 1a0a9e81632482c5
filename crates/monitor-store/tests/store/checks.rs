//! Each event is one row, however often and by whomever it is stored.

use chrono::{DateTime, Utc};
use monitor_core::event::{ContentMatch, Warning};
use monitor_core::{CheckEvent, FailureKind, Outcome, Phase};
use monitor_store::{ErrorClass, Inserted, PgConnection};
use serde_json::Value;
use sqlx::PgPool;
use strum::VariantArray;

use crate::sample::{event, instant, many, slot};
use crate::stored::store;

const STORED: Inserted = Inserted {
    stored: 1,
    duplicates: 0,
};
const DUPLICATE: Inserted = Inserted {
    stored: 0,
    duplicates: 1,
};

async fn put(connection: &mut PgConnection, event: CheckEvent) -> Inserted {
    store(connection, &[event], None).await.unwrap()
}

async fn rows(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM checks")
        .fetch_one(connection)
        .await
        .unwrap()
}

async fn outcomes(connection: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar("SELECT outcome::TEXT FROM checks ORDER BY site_id, region, scheduled_at")
        .fetch_all(connection)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_replayed_batch_stores_nothing_twice(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let events = many(100);
    let first = store(&mut connection, &events, None).await.unwrap();
    let again = store(&mut connection, &events, None).await.unwrap();
    assert_eq!((first.stored, first.duplicates), (100, 0));
    assert_eq!((again.stored, again.duplicates), (0, 100));
    assert_eq!(rows(&mut connection).await, 100);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn no_event_at_all_is_stored_too(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let inserted = store(&mut connection, &[], None).await.unwrap();
    assert_eq!(inserted, Inserted::default());
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_late_real_result_replaces_what_was_not_one_and_nothing_else_does(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    for (number, before) in (1..).zip(Outcome::VARIANTS) {
        for (minute, after) in (1..).zip(Outcome::VARIANTS) {
            let slot = slot(number, "eu", instant(60 * minute));
            let (first, second) = (event(&slot, *before), event(&slot, *after));
            assert_eq!(put(&mut connection, first).await, STORED);
            let replaced = !before.is_verdict() && after.is_verdict();
            let expected = if replaced { STORED } else { DUPLICATE };
            let done = put(&mut connection, second).await;
            assert_eq!(done, expected, "{before}, then {after}");
        }
    }
    let expected = Outcome::VARIANTS.iter().flat_map(|before| {
        Outcome::VARIANTS.iter().map(move |after| {
            if before.is_verdict() || !after.is_verdict() {
                before
            } else {
                after
            }
        })
    });
    let expected: Vec<_> = expected.map(ToString::to_string).collect();
    assert_eq!(outcomes(&mut connection).await, expected);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn duplicates_in_one_batch_follow_the_same_rule(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let orders = [
        ([Outcome::Missed, Outcome::Up, Outcome::Down], "up"),
        ([Outcome::Up, Outcome::Missed, Outcome::Up], "up"),
        ([Outcome::Error, Outcome::Missed, Outcome::Error], "error"),
    ];
    for (site, (order, _)) in (1..).zip(orders) {
        let slot = slot(site, "eu", instant(0));
        let events = order.map(|outcome| event(&slot, outcome));
        let inserted = store(&mut connection, &events, None).await.unwrap();
        assert_eq!((inserted.stored, inserted.duplicates), (1, 2));
    }
    let expected = orders.map(|(_, kept)| kept);
    assert_eq!(outcomes(&mut connection).await, expected);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn an_event_that_the_database_refuses_takes_its_batch_with_it_but_not_the_connection(
    pool: PgPool,
) {
    let mut connection = pool.acquire().await.unwrap();
    let mut events = many(3);
    events[1].checker = "a\0b".to_owned();
    let error = store(&mut connection, &events, None).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Poison, "{error}");
    assert_eq!(rows(&mut connection).await, 0);

    events.remove(1);
    assert_eq!(
        store(&mut connection, &events, None).await.unwrap().stored,
        2
    );
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_value_beyond_its_column_is_refused_before_the_database_is_asked(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let mut events = many(1);
    events[0].timings_us.total = Some(u32::MAX);
    let error = store(&mut connection, &events, None).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Poison, "{error}");
    assert!(error.to_string().contains(&events[0].id.to_string()));
}

#[derive(Debug, PartialEq, sqlx::FromRow)]
struct Row {
    started_at: Option<DateTime<Utc>>,
    failure: Option<String>,
    failure_detail: Option<String>,
    content: String,
    times: Vec<Option<i32>>,
    status_code: Option<i16>,
    attempts: i16,
    checker: String,
    warnings: Option<Vec<String>>,
    evidence: Option<Value>,
}

async fn stored(connection: &mut PgConnection, event: &CheckEvent) -> Row {
    store(connection, [event], None).await.unwrap();
    sqlx::query_as(
        "SELECT started_at, failure_kind || ' ' || failure_phase AS failure, failure_detail,
            content::TEXT, status_code, attempts, checker, warnings::TEXT[], evidence,
            ARRAY[dns_us, connect_us, tls_us, first_byte_us, transfer_us, total_us] AS times
        FROM checks WHERE site_id = $1",
    )
    .bind(event.site_id.0)
    .fetch_one(connection)
    .await
    .unwrap()
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_row_holds_what_the_event_says(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let up = event(&slot(1, "eu", instant(0)), Outcome::Up);
    let expected = Row {
        started_at: up.started_at,
        failure: None,
        failure_detail: None,
        content: "matched".to_owned(),
        times: vec![Some(1), Some(2), None, Some(3), Some(4), Some(i32::MAX)],
        status_code: Some(200),
        attempts: 1,
        checker: "checker-1".to_owned(),
        warnings: None,
        evidence: None,
    };
    assert_eq!(stored(&mut connection, &up).await, expected);

    let down = event(&slot(2, "eu", instant(0)), Outcome::Down);
    let row = stored(&mut connection, &down).await;
    assert_eq!(row.failure.unwrap(), "body_timeout body");
    assert_eq!(row.failure_detail.unwrap(), "told in one line");
    let evidence = row.evidence.unwrap();
    assert_eq!(evidence["http"]["remote_addr"], "203.0.113.7:80");

    let degraded = event(&slot(3, "eu", instant(0)), Outcome::Degraded);
    let row = stored(&mut connection, &degraded).await;
    assert_eq!(
        row.warnings.unwrap(),
        ["slow_response", "cert_expires_soon"]
    );

    let missed = event(&slot(4, "eu", instant(0)), Outcome::Missed);
    let row = stored(&mut connection, &missed).await;
    assert_eq!(
        (row.started_at, row.attempts, row.evidence),
        (None, 0, None)
    );
}

/// The type `name` has the values of `T`, in the same order.
async fn check_enum<T: VariantArray + ToString>(pool: &PgPool, name: &str) {
    let values: Vec<String> = sqlx::query_scalar(
        "SELECT enumlabel::TEXT FROM pg_enum WHERE enumtypid = $1::regtype ORDER BY enumsortorder",
    )
    .bind(name)
    .fetch_all(pool)
    .await
    .unwrap();
    let expected: Vec<_> = T::VARIANTS.iter().map(ToString::to_string).collect();
    assert_eq!(values, expected, "{name}");
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn the_closed_lists_of_the_event_are_those_of_the_table(pool: PgPool) {
    check_enum::<Outcome>(&pool, "outcome").await;
    check_enum::<FailureKind>(&pool, "failure_kind").await;
    check_enum::<Phase>(&pool, "check_phase").await;
    check_enum::<ContentMatch>(&pool, "content_match").await;
    check_enum::<Warning>(&pool, "check_warning").await;
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn uptime_is_unknown_where_nothing_was_checked(pool: PgPool) {
    for (counts, expected) in [
        ([0_i64, 0, 0], None),
        ([0, 0, 2], Some(0.0)),
        ([2, 1, 1], Some(0.75)),
    ] {
        let uptime: Option<f64> = sqlx::query_scalar("SELECT uptime($1, $2, $3)")
            .bind(counts[0])
            .bind(counts[1])
            .bind(counts[2])
            .fetch_one(&pool)
            .await
            .unwrap();
        assert_eq!(uptime, expected, "{counts:?}");
    }
}

//! Days are made ahead, packed when they are over, and dropped as a whole.

use chrono::NaiveDate;
use monitor_core::Outcome;
use monitor_store::{PgConnection, partitions};
use sqlx::PgPool;

use crate::sample::{days, event, instant, many, slot};
use crate::stored::store;

fn day(days_on: i64) -> NaiveDate {
    (instant(0) + days(days_on)).date_naive()
}

/// The partitions by name, with their bounds.
async fn attached(connection: &mut PgConnection) -> Vec<(String, String)> {
    sqlx::query_as(
        "SELECT relname::TEXT, pg_get_expr(relpartbound, oid) FROM pg_class
        WHERE relispartition AND relkind = 'r' ORDER BY relname",
    )
    .fetch_all(connection)
    .await
    .unwrap()
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_day_has_one_partition_whoever_creates_it_and_ends_at_midnight_in_utc(pool: PgPool) {
    let (mut one, mut two) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
    // The session's time zone does not move the bounds.
    sqlx::query("SET timezone = 'Pacific/Auckland'")
        .execute(&mut *two)
        .await
        .unwrap();
    let week = || (0..7).map(|day| (instant(0) + days(day)).date_naive());
    let (a, b) = tokio::join!(
        partitions::ensure(&mut one, week()),
        partitions::ensure(&mut two, week())
    );
    assert!(a.is_ok() && b.is_ok(), "{a:?} {b:?}");
    let found = attached(&mut one).await;
    assert_eq!(found.len(), 7);
    assert_eq!(found[0].0, "check_results_20260105");
    assert_eq!(
        found[0].1,
        "FOR VALUES FROM ('2026-01-05 00:00:00+00') TO ('2026-01-06 00:00:00+00')"
    );
    let (last, first) = (instant(14 * 3_600 - 1), instant(14 * 3_600));
    let events = [last, first].map(|at| event(&slot(1, "eu", at), Outcome::Up));
    assert_eq!(store(&mut one, &events, None).await.unwrap().stored, 2);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn the_days_ahead_begin_with_today(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let before = partitions::today(&mut connection).await.unwrap();
    partitions::ensure_ahead(&mut connection, 3).await.unwrap();
    let after = partitions::today(&mut connection).await.unwrap();
    let made = attached(&mut connection).await;
    assert_eq!(made.len(), 4);
    let name = |day: NaiveDate| format!("check_results_{}", day.format("%Y%m%d"));
    assert!([name(before), name(after)].contains(&made[0].0), "{made:?}");
    partitions::ensure_ahead(&mut connection, 1).await.unwrap();
    assert_eq!(attached(&mut connection).await, made);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn what_has_expired_goes_and_the_rest_stays(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let events: Vec<_> = (0..4)
        .map(|day| event(&slot(1, "eu", instant(0) + days(day)), Outcome::Up))
        .collect();
    store(&mut connection, &events, None).await.unwrap();
    let expired = partitions::expired(&mut connection, day(2)).await.unwrap();
    assert_eq!(expired, [day(0), day(1)]);

    let dropped = partitions::drop_expired(&mut connection, day(2)).await;
    assert_eq!(dropped.unwrap(), expired);
    let left: Vec<NaiveDate> =
        sqlx::query_scalar("SELECT scheduled_at::DATE FROM checks ORDER BY scheduled_at")
            .fetch_all(&mut *connection)
            .await
            .unwrap();
    assert_eq!(left, [day(2), day(3)]);
    let none = partitions::drop_expired(&mut connection, day(2)).await;
    assert_eq!(none.unwrap(), []);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_detached_day_is_dropped_or_comes_back_with_its_rows(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let events = [0, 1].map(|day| event(&slot(1, "eu", instant(0) + days(day)), Outcome::Up));
    store(&mut connection, &events, None).await.unwrap();
    for detach in [
        "ALTER TABLE check_results DETACH PARTITION check_results_20260105",
        "ALTER TABLE check_results DETACH PARTITION check_results_20260106",
    ] {
        sqlx::query(detach).execute(&mut *connection).await.unwrap();
    }
    let again = store(&mut connection, &events[1..], None).await.unwrap();
    assert_eq!((again.stored, again.duplicates), (0, 1));
    let dropped = partitions::drop_expired(&mut connection, day(1)).await;
    assert_eq!(dropped.unwrap(), [day(0)]);
    assert_eq!(attached(&mut connection).await.len(), 1);
}

async fn key_bytes(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT pg_relation_size('check_results_20260105_pkey')")
        .fetch_one(connection)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn the_key_of_a_day_that_is_over_is_packed_once(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    // Site after site within each minute: as checks come in.
    let minute = |minute: i64| {
        let site = move |site| event(&slot(site, "eu", instant(60 * minute)), Outcome::Up);
        (1..=10).map(site)
    };
    for minutes in [0..200, 200..400, 400..600] {
        let events: Vec<_> = minutes.flat_map(minute).collect();
        store(&mut connection, &events, None).await.unwrap();
    }
    let loose = partitions::loose(&mut connection, day(1)).await.unwrap();
    assert_eq!(loose, [day(0)]);
    let before = key_bytes(&mut connection).await;
    partitions::pack(&mut connection, day(0)).await.unwrap();
    let after = key_bytes(&mut connection).await;
    assert!(after < before, "{before} bytes, then {after}");
    let loose = partitions::loose(&mut connection, day(1)).await.unwrap();
    assert_eq!(loose, []);
    // A day that is not over is left alone, and so is one that is small.
    store(&mut connection, &many(3), None).await.unwrap();
    let loose = partitions::loose(&mut connection, day(9)).await.unwrap();
    assert_eq!(loose, []);
}

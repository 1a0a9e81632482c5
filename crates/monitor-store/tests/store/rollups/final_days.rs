//! Rollups outlive the checks that they were made of.

use chrono::{NaiveDate, TimeDelta};
use fastrand::Rng;
use monitor_store::maintenance::{self, Retention};
use monitor_store::rollups::{delete_before, drop_checks_before, plan_rebuild, progress};
use monitor_store::{PgConnection, partitions};
use sqlx::PgPool;

use super::expected::said;
use super::random::{begin, check};
use super::{rebuild, roll_up, settled, store};

/// The day after the first midnight of the checks, of which there are some.
fn second_day() -> NaiveDate {
    begin().date_naive().succ_opt().unwrap()
}

/// Checks of the last hours of a day and the first of the next, all closed.
async fn two_days(pool: &PgPool) -> Vec<(String, serde_json::Value)> {
    let mut connection = pool.acquire().await.unwrap();
    let mut rng = Rng::with_seed(4);
    let checks: Vec<_> = (0..200).map(|_| check(&mut rng, 0..4)).collect();
    store(&mut connection, &checks).await;
    roll_up(&mut connection, settled(28)).await;
    everything(pool).await
}

async fn everything(pool: &PgPool) -> Vec<(String, serde_json::Value)> {
    let mut all = said(pool, "rollup_hours", "hour").await;
    all.extend(said(pool, "rollup_days", "day").await);
    all
}

async fn late_check(connection: &mut PgConnection) {
    let mut late = check(&mut Rng::with_seed(5), 0..1);
    late.scheduled_at = begin() + TimeDelta::seconds(1);
    store(connection, &[late]).await;
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_rebuild_leaves_days_alone_whose_checks_were_dropped(pool: PgPool) {
    let before = two_days(&pool).await;
    let mut connection = pool.acquire().await.unwrap();
    let dropped = drop_checks_before(&mut connection, second_day())
        .await
        .unwrap();
    assert_eq!(dropped, [begin().date_naive()]);
    let plan = plan_rebuild(&mut connection, None, None).await.unwrap();
    assert_eq!(plan.hours.start, begin() + TimeDelta::hours(2));
    assert!(rebuild(&mut connection, None, None).await.checks > 0);
    assert!(everything(&pool).await == before);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn so_it_does_when_somebody_has_dropped_them_by_hand(pool: PgPool) {
    let before = two_days(&pool).await;
    let mut connection = pool.acquire().await.unwrap();
    partitions::drop_expired(&mut connection, second_day())
        .await
        .unwrap();
    assert!(rebuild(&mut connection, None, None).await.checks > 0);
    assert!(everything(&pool).await == before);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_check_that_comes_after_the_drop_changes_nothing_and_is_dropped_too(pool: PgPool) {
    let before = two_days(&pool).await;
    let mut connection = pool.acquire().await.unwrap();
    drop_checks_before(&mut connection, second_day())
        .await
        .unwrap();
    late_check(&mut connection).await;
    let count = roll_up(&mut connection, settled(28)).await;
    assert_eq!((count.marks, count.ignored_marks), (0, 1));
    rebuild(&mut connection, None, None).await;
    assert!(everything(&pool).await == before);
    let dropped = drop_checks_before(&mut connection, second_day())
        .await
        .unwrap();
    assert_eq!(dropped, [begin().date_naive()]);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn what_is_not_rolled_up_yet_is_not_dropped(pool: PgPool) {
    two_days(&pool).await;
    let mut connection = pool.acquire().await.unwrap();
    late_check(&mut connection).await;
    let drop = drop_checks_before(&mut connection, second_day()).await;
    assert!(drop.unwrap().is_empty(), "there is a mark");
    roll_up(&mut connection, settled(28)).await;
    let far = second_day() + TimeDelta::days(99);
    let dropped = drop_checks_before(&mut connection, far).await.unwrap();
    assert_eq!(dropped, [begin().date_naive(), second_day()]);
    // The day that is not closed yet is all that is left.
    let raw_from = progress(&mut connection).await.unwrap().raw_from;
    assert_eq!(raw_from, second_day().succ_opt());
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn old_rollups_are_deleted_in_parts(pool: PgPool) {
    let before = two_days(&pool).await;
    let mut connection = pool.acquire().await.unwrap();
    let (first, more) = delete_before(&mut connection, second_day(), 1)
        .await
        .unwrap();
    assert!(more);
    let (second, more) = delete_before(&mut connection, second_day(), 9)
        .await
        .unwrap();
    assert!(!more);
    let after = everything(&pool).await;
    assert_eq!(after.len() as u64, before.len() as u64 - first - second);
    let old = begin().date_naive().to_string();
    assert!(after.iter().all(|(name, _)| !name.contains(&old)));
    assert!(!after.is_empty());
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn what_is_kept_for_ever_is_not_touched(pool: PgPool) {
    let before = two_days(&pool).await;
    let mut connection = pool.acquire().await.unwrap();
    let for_ever = Retention {
        raw_days: None,
        rollup_days: None,
    };
    maintenance::expire(&mut connection, for_ever)
        .await
        .unwrap();
    assert!(everything(&pool).await == before);
    let raw = Retention {
        raw_days: Some(30),
        rollup_days: None,
    };
    let expired = maintenance::expire(&mut connection, raw).await.unwrap();
    assert_eq!(expired.days, [begin().date_naive(), second_day()]);
    assert!(everything(&pool).await == before);
    let all = Retention {
        raw_days: Some(30),
        rollup_days: Some(30),
    };
    let expired = maintenance::expire(&mut connection, all).await.unwrap();
    assert_eq!(expired.rollups, before.len() as u64);
}

//! Rollups are what the checks come to, however and whenever those were stored.

mod expected;
mod final_days;
mod histograms;
pub(crate) mod random;

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use monitor_core::{CheckEvent, Outcome};
use monitor_store::rollups::{
    Count, SETTLING, close_days, close_hours, plan_rebuild, work_off_marks,
};
use monitor_store::{PgConnection, maintenance};
use sqlx::{Connection as _, PgPool};
use tokio::task::JoinSet;

use self::expected::{assert_right, said};
use self::random::{HOURS, begin, check};
use crate::sample::{event, slot};

pub(crate) async fn store(connection: &mut PgConnection, events: &[CheckEvent]) {
    crate::stored::store(connection, events, None)
        .await
        .unwrap();
}

/// When so many hours after the begin can be closed.
pub(crate) fn settled(hours: i64) -> DateTime<Utc> {
    begin() + TimeDelta::hours(hours) + SETTLING
}

pub(crate) async fn roll_up(connection: &mut PgConnection, now: DateTime<Utc>) -> Count {
    let mut count = close_hours(connection, now, u32::MAX).await.unwrap();
    count += work_off_marks(connection, u32::MAX).await.unwrap();
    count += close_days(connection, u32::MAX).await.unwrap();
    count
}

async fn rebuild(
    connection: &mut PgConnection,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
) -> Count {
    let rebuild = plan_rebuild(connection, from, to).await.unwrap();
    let mut count = Count::default();
    for day in rebuild.days() {
        count += rebuild.day(connection, day).await.unwrap();
    }
    count
}

/// Checks come in any order, most in their time and many late, while hours and days are closed,
/// corrected and rebuilt in between.
async fn scenario(pool: &PgPool, seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let mut connection = pool.acquire().await.unwrap();
    for hour in 1..=HOURS {
        for _ in 0..rng.u8(0..4) {
            let count = rng.usize(0..40);
            let late = (0..count)
                .map(|_| check(&mut rng, 0..hour))
                .collect::<Vec<_>>();
            store(&mut connection, &late).await;
            let now = check(&mut rng, hour - 1..hour);
            store(&mut connection, &[now]).await;
            if rng.bool() {
                work_off_marks(&mut connection, rng.u32(0..2))
                    .await
                    .unwrap();
            }
        }
        match rng.u8(0..4) {
            0 => drop(
                close_hours(&mut connection, settled(hour), 2)
                    .await
                    .unwrap(),
            ),
            1 => drop(roll_up(&mut connection, settled(hour)).await),
            2 => drop(rebuild(&mut connection, Some(settled(hour / 2)), None).await),
            _ => {}
        }
    }
    roll_up(&mut connection, settled(HOURS)).await;
    assert_right(pool).await;

    let before = (
        said(pool, "rollup_hours", "hour").await,
        said(pool, "rollup_days", "day").await,
    );
    let count = rebuild(&mut connection, None, None).await;
    assert_eq!(count.hours, before.0.len() as u64);
    assert_eq!(count.days, before.1.len() as u64);
    let after = (
        said(pool, "rollup_hours", "hour").await,
        said(pool, "rollup_days", "day").await,
    );
    assert!(before == after, "a rebuild changed something");
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn they_are_what_plain_sql_makes_of_the_checks(pool: PgPool) {
    scenario(&pool, 1).await;
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn they_are_so_with_other_checks_in_another_order(pool: PgPool) {
    scenario(&pool, 2).await;
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn they_are_so_with_writers_at_the_same_time(pool: PgPool) {
    let mut writers = JoinSet::new();
    for seed in 1..=3 {
        let pool = pool.clone();
        writers.spawn(async move {
            let mut rng = Rng::with_seed(seed);
            let mut connection = pool.acquire().await.unwrap();
            for _ in 0..30 {
                let batch: Vec<_> = (0..20).map(|_| check(&mut rng, 0..8)).collect();
                store(&mut connection, &batch).await;
            }
        });
    }
    let mut connection = pool.acquire().await.unwrap();
    let mut hour = 0;
    while !writers.is_empty() {
        hour = 8.min(hour + 1);
        roll_up(&mut connection, settled(hour)).await;
        while writers.try_join_next().transpose().unwrap().is_some() {}
    }
    roll_up(&mut connection, settled(8)).await;
    assert_right(&pool).await;
}

/// Makes every commit that changes a state wait for the advisory lock 42.
const HOLD_COMMITS: &str = "
    CREATE FUNCTION hold() RETURNS TRIGGER LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(42);
        RETURN NULL;
    END
    $$;
    CREATE CONSTRAINT TRIGGER hold AFTER INSERT OR UPDATE ON site_state
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold();";

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_mark_is_not_taken_from_under_a_writer_that_found_it_there(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let check = |minute| {
        let at = begin() + TimeDelta::minutes(minute);
        [event(&slot(1, "eu", at), Outcome::Up)]
    };
    store(&mut connection, &check(0)).await;
    roll_up(&mut connection, settled(1)).await;
    store(&mut connection, &check(1)).await;

    let mut holder = pool.acquire().await.unwrap();
    sqlx::raw_sql(HOLD_COMMITS)
        .execute(&mut *holder)
        .await
        .unwrap();
    let mut held = holder.begin().await.unwrap();
    let lock = sqlx::query("SELECT pg_advisory_xact_lock(42)");
    lock.execute(&mut *held).await.unwrap();
    let (mut late, others) = (JoinSet::new(), pool.clone());
    late.spawn(async move {
        store(&mut others.acquire().await.unwrap(), &check(2)).await;
    });
    while !waits_for_a_lock(&mut connection).await {
        tokio::task::yield_now().await;
    }
    roll_up(&mut connection, settled(1)).await;
    held.commit().await.unwrap();
    late.join_next().await.unwrap().unwrap();

    roll_up(&mut connection, settled(1)).await;
    assert_right(&pool).await;
}

async fn waits_for_a_lock(connection: &mut PgConnection) -> bool {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
    )
    .fetch_one(connection)
    .await
    .unwrap()
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn an_hour_is_closed_once_it_is_over_and_has_settled(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let now = maintenance::status(&mut connection).await.unwrap().now;
    // Of the hour that is running: nothing marks it.
    store(&mut connection, &[event(&slot(1, "eu", now), Outcome::Up)]).await;
    let closed = |count: Count| (count.checks, count.closed_days);
    let open = now + TimeDelta::hours(1)
        - TimeDelta::minutes(now.format("%M").to_string().parse().unwrap());
    let count = roll_up(&mut connection, open + SETTLING - TimeDelta::minutes(1)).await;
    assert_eq!(closed(count), (0, 0));
    assert_eq!(maintenance::status(&mut connection).await.unwrap().marks, 0);
    let count = roll_up(&mut connection, open + SETTLING).await;
    assert_eq!(count.checks, 1);
    let count = roll_up(&mut connection, now + TimeDelta::hours(25) + SETTLING).await;
    assert_eq!(closed(count), (0, 1));
    assert_right(&pool).await;
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_long_absence_is_made_up_for_in_parts(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let check = event(&slot(1, "eu", begin()), Outcome::Up);
    store(&mut connection, &[check]).await;
    let first = close_hours(&mut connection, settled(2), 23).await.unwrap();
    assert_eq!(
        (first.closed_hours, first.more, first.checks),
        (23, true, 1)
    );
    let second = close_hours(&mut connection, settled(2), 23).await.unwrap();
    assert_eq!((second.closed_hours, second.more), (1, false));
    assert_right(&pool).await;
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn days_are_those_of_utc_wherever_the_session_is(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    // On 2026-03-29 and 2026-10-25 the clocks of Helsinki change.
    sqlx::query("SET timezone = 'Europe/Helsinki'")
        .execute(&mut *connection)
        .await
        .unwrap();
    for day in ["2026-03-29T00:00:00Z", "2026-10-25T00:00:00Z"] {
        let day: DateTime<Utc> = day.parse().unwrap();
        let checks: Vec<_> = (-2..26)
            .map(|hour| event(&slot(1, "eu", day + TimeDelta::hours(hour)), Outcome::Up))
            .collect();
        store(&mut connection, &checks).await;
    }
    let now = "2026-10-28T00:02:00Z".parse().unwrap();
    roll_up(&mut connection, now).await;
    assert_right(&pool).await;
    let days: Vec<(String, i32)> =
        sqlx::query_as("SELECT day::TEXT, up FROM rollup_days ORDER BY day")
            .fetch_all(&pool)
            .await
            .unwrap();
    let days: Vec<_> = days.iter().map(|(day, up)| (day.as_str(), *up)).collect();
    assert_eq!(
        days,
        [
            ("2026-03-28", 2),
            ("2026-03-29", 24),
            ("2026-03-30", 2),
            ("2026-10-24", 2),
            ("2026-10-25", 24),
            ("2026-10-26", 2),
        ]
    );
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_rebuild_repairs_what_somebody_has_changed(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let mut rng = Rng::with_seed(3);
    let checks: Vec<_> = (0..200).map(|_| check(&mut rng, 0..4)).collect();
    store(&mut connection, &checks).await;
    roll_up(&mut connection, settled(28)).await;
    sqlx::raw_sql(
        "UPDATE rollup_hours SET up = 1000000; DELETE FROM rollup_days;
        INSERT INTO rollup_hours SELECT (jsonb_populate_record(one, '{\"site_id\": 3}')).*
            FROM rollup_hours AS one WHERE site_id = 1 ON CONFLICT DO NOTHING;",
    )
    .execute(&pool)
    .await
    .unwrap();
    // The second hour alone, then the rest.
    let second = begin() + TimeDelta::hours(1);
    let part = rebuild(
        &mut connection,
        Some(second),
        Some(second + TimeDelta::seconds(1)),
    )
    .await;
    let all = rebuild(&mut connection, None, None).await;
    assert!(
        part.checks > 0 && part.checks < all.checks,
        "{part:?} {all:?}"
    );
    assert_right(&pool).await;
}

//! An answer is of one moment, whatever happens while it is put together.

use chrono::TimeDelta;
use fastrand::Rng;
use monitor_core::SiteId;
use monitor_core::metric::{OutcomeCounts, Sites, Subject, Summary, TimeRange};
use monitor_store::rollups::drop_checks_before;
use monitor_store::{MetricDataProvider, PgConnection};
use sqlx::{Connection as _, PgPool};
use tokio::task::JoinSet;

use super::expected::{assert_right, checks};
use super::{Fleet, HOURS};
use crate::rollups::random::{begin, check};
use crate::rollups::{roll_up, settled, store};

/// From the middle of the first hour with checks on.
fn range() -> TimeRange {
    let from = begin() + TimeDelta::minutes(30);
    TimeRange::new(from, from + TimeDelta::days(5)).unwrap()
}

/// How many sessions wait for a lock.
async fn waiting(connection: &mut PgConnection) -> i64 {
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let waiting = sqlx::query_scalar(waiting);
    waiting.fetch_one(connection).await.unwrap()
}

/// Asks, and calls `meanwhile` when the answer has begun and is not complete.
async fn ask(pool: &PgPool, meanwhile: impl AsyncFnOnce(&mut PgConnection)) -> Summary {
    let mut connection = pool.acquire().await.unwrap();
    let mut holder = pool.acquire().await.unwrap();
    let mut held = holder.begin().await.unwrap();
    let lock = sqlx::query("LOCK TABLE rollup_days IN ACCESS EXCLUSIVE MODE");
    lock.execute(&mut *held).await.unwrap();

    let provider = MetricDataProvider::new(pool.clone());
    let mut asking = JoinSet::new();
    asking.spawn(async move {
        let subject = Subject::of(Sites::All);
        provider.summary(&subject, range()).await.unwrap()
    });
    while waiting(&mut connection).await < 1 {
        tokio::task::yield_now().await;
    }
    meanwhile(&mut connection).await;
    held.rollback().await.unwrap();
    asking.join_next().await.unwrap().unwrap()
}

/// Checks of a few sites, rolled up but for the last hours.
async fn stored(pool: &PgPool) {
    let mut rng = Rng::with_seed(5);
    let fleet = Fleet::new(pool, 4).await;
    let mut connection = pool.acquire().await.unwrap();
    let events = fleet.checks(&mut rng, 1_000, 0..HOURS);
    store(&mut connection, &events).await;
    roll_up(&mut connection, settled(HOURS - 8)).await;
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn what_is_stored_meanwhile_is_in_no_part_of_it(pool: PgPool) {
    stored(&pool).await;
    let before = checks(&pool).await;
    let summary = ask(&pool, async |connection| {
        let mut rng = Rng::with_seed(6);
        let mut late = |hours| {
            let mut late = check(&mut rng, hours);
            late.scheduled_at += TimeDelta::seconds(1);
            late
        };
        store(connection, &[late(5..6), late(HOURS - 2..HOURS - 1)]).await;
    })
    .await;
    assert_right(&summary, &before.iter().collect::<Vec<_>>());
    assert_eq!(checks(&pool).await.len(), before.len() + 2);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn checks_are_not_dropped_before_it_is_complete(pool: PgPool) {
    stored(&pool).await;
    let before = checks(&pool).await;
    let mut dropping = JoinSet::new();
    let (others, second) = (pool.clone(), (begin() + TimeDelta::days(1)).date_naive());
    let summary = ask(&pool, async |connection| {
        dropping.spawn(async move {
            let mut connection = others.acquire().await.unwrap();
            drop_checks_before(&mut connection, second).await.unwrap()
        });
        // It waits as well, or should have.
        while waiting(connection).await < 2 && dropping.try_join_next().is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(summary.from, range().from());
    assert_right(&summary, &before.iter().collect::<Vec<_>>());
    assert_eq!(dropping.join_next().await.unwrap().unwrap().len(), 1);
}

/// Marks three hours of a site, though nothing of them has changed.
const MARK: &str = "INSERT INTO dirty_hours (site_id, region_id, hour)
    SELECT site_id, region_id, date_trunc('hour', scheduled_at, 'UTC')
    FROM check_results WHERE site_id = $1 ORDER BY random() LIMIT 3
    ON CONFLICT DO NOTHING";

/// Rolls up what there is, bit by bit, and drops the checks in the end.
async fn roll_up_and_drop(connection: &mut PgConnection, rng: &mut Rng) {
    for hour in 1..=HOURS {
        roll_up(connection, settled(hour)).await;
        let mark = sqlx::query(MARK).bind(rng.i64(1..=4));
        mark.execute(&mut *connection).await.unwrap();
    }
    roll_up(connection, settled(HOURS)).await;
    let end = (begin() + TimeDelta::days(9)).date_naive();
    let days = drop_checks_before(connection, end).await.unwrap();
    assert_eq!(days.len(), 4);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn nothing_is_missed_or_counted_twice_while_it_is_rolled_up(pool: PgPool) {
    let mut rng = Rng::with_seed(3);
    let fleet = Fleet::new(&pool, 4).await;
    let mut connection = pool.acquire().await.unwrap();
    store(&mut connection, &fleet.checks(&mut rng, 1_000, 0..HOURS)).await;
    let count = checks(&pool).await.len() as u64;
    let mut upkeep = JoinSet::new();
    upkeep.spawn(async move { roll_up_and_drop(&mut connection, &mut rng).await });

    let provider = MetricDataProvider::new(pool.clone());
    let (first, last) = (
        begin() - TimeDelta::minutes(90),
        begin() + TimeDelta::days(5),
    );
    let range = TimeRange::new(first, last).unwrap();
    let counted = async |sites| {
        let summary = provider.summary(&Subject::of(sites), range).await;
        let OutcomeCounts {
            up,
            degraded,
            down,
            missed,
            error,
        } = summary.unwrap().outcomes;
        up + degraded + down + missed + error
    };
    let mut asked = 0;
    while upkeep.try_join_next().transpose().unwrap().is_none() {
        assert_eq!(counted(Sites::All).await, count);
        let mut by_site = 0;
        for site in 1..=4 {
            by_site += counted(Sites::One(SiteId(site))).await;
        }
        assert_eq!(by_site, count);
        asked += 1;
    }
    assert!(asked > 1, "nothing was asked meanwhile");
}

//! What checks came to step by step is what plain arithmetic makes of them, wherever it is read from.

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use monitor_core::SiteId;
use monitor_core::histogram::RELATIVE_ERROR;
use monitor_core::metric::{OverviewWindow, SiteTimeline, Timelines};
use monitor_store::rollups::{drop_checks_before, progress};
use monitor_store::{MetricDataProvider, sites};
use serde_json::json;
use sqlx::PgPool;

use crate::rollups::random::begin;
use crate::rollups::{roll_up, settled, store};
use crate::sample::site;
use crate::summaries::expected::{Check, checks};
use crate::summaries::{Fleet, HOURS};

fn window(hours: u16) -> OverviewWindow {
    OverviewWindow::hours(hours).unwrap()
}

/// The begin and the end of each step.
fn steps(told: &Timelines) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let step = TimeDelta::milliseconds(told.step_ms.try_into().unwrap());
    let begins = std::iter::successors(Some(told.from), |begin| Some(*begin + step));
    let begins = begins.take_while(|begin| *begin < told.to);
    begins
        .map(|begin| (begin, (begin + step).min(told.to)))
        .collect()
}

fn assert_right(told: &Timelines, checks: &[Check]) {
    let steps = steps(told);
    for timeline in &told.sites {
        let SiteTimeline {
            site,
            up,
            degraded,
            down,
            missed,
            error,
            p95_us,
        } = timeline;
        let columns = [up, degraded, down, missed, error];
        for (index, (from, to)) in steps.iter().enumerate() {
            let is_inside = |check: &&Check| {
                check.site_id == site.0 && (*from..*to).contains(&check.scheduled_at)
            };
            let inside: Vec<_> = checks.iter().filter(is_inside).collect();
            let outcomes = ["up", "degraded", "down", "missed", "error"];
            for (column, outcome) in columns.iter().zip(outcomes) {
                let right = inside.iter().filter(|check| check.outcome == outcome);
                assert_eq!(column[index], right.count() as u64, "{outcome} {from}");
            }
            assert_p95(p95_us[index], &inside);
        }
        for length in columns.map(Vec::len).into_iter().chain([p95_us.len()]) {
            assert_eq!(length, steps.len());
        }
    }
}

fn assert_p95(said: Option<u32>, checks: &[&Check]) {
    let available = checks
        .iter()
        .filter(|check| ["up", "degraded"].contains(&&*check.outcome));
    let mut totals: Vec<i32> = available.filter_map(|check| check.durations[5]).collect();
    totals.sort_unstable();
    let rank = (95 * totals.len()).div_ceil(100).max(1);
    let right = totals.get(rank - 1).copied().map(f64::from);
    assert_eq!(said.is_some(), right.is_some());
    let (said, right) = (said.map_or(0.0, f64::from), right.unwrap_or_default());
    let off = (said - right).abs();
    assert!(
        off <= RELATIVE_ERROR * right * 1.000_001 + 0.5,
        "{said}, right is {right}"
    );
}

/// Asks at random, and compares with the checks. Nobody monitors the sites 4 and 99.
async fn ask(pool: &PgPool, rng: &mut Rng, checks: &[Check]) {
    let provider = MetricDataProvider::new(pool.clone());
    let mut connection = pool.acquire().await.unwrap();
    let final_to = progress(&mut connection).await.unwrap().final_to();
    for _ in 0..30 {
        let mut asked = vec![SiteId(99), SiteId(4), SiteId(3), SiteId(2), SiteId(1)];
        rng.shuffle(&mut asked);
        asked.truncate(rng.usize(0..=5));
        let hours = [rng.u16(1..=48), rng.u16(49..100), rng.u16(1..=2_160)][rng.usize(0..3)];
        let now = begin() + TimeDelta::minutes(5 * rng.i64(-3..12 * HOURS + 24));
        let told = provider
            .timelines(&asked, window(hours), now)
            .await
            .unwrap();
        asked.retain(|site| site.0 <= 3);
        asked.sort_unstable();
        let sites: Vec<_> = told.sites.iter().map(|timeline| timeline.site).collect();
        assert_eq!(sites, asked);
        assert!(told.from <= now - TimeDelta::hours(hours.into()));
        if final_to.is_none_or(|final_to| now >= final_to) {
            assert_eq!(told.to, now);
        }
        assert_right(&told, checks);
    }
}

/// Nothing is closed, hours are, days are, hours of them are marked, and checks are dropped.
#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn they_are_right_whatever_has_become_of_the_checks(pool: PgPool) {
    let mut rng = Rng::with_seed(21);
    let fleet = Fleet::new(&pool, 4).await;
    let mut connection = pool.acquire().await.unwrap();
    store(&mut connection, &fleet.checks(&mut rng, 1_200, 0..HOURS)).await;
    ask(&pool, &mut rng, &checks(&pool).await).await;
    for closed in [1, 20, 66] {
        roll_up(&mut connection, settled(closed)).await;
        ask(&pool, &mut rng, &checks(&pool).await).await;
        store(&mut connection, &fleet.checks(&mut rng, 60, 0..HOURS)).await;
        ask(&pool, &mut rng, &checks(&pool).await).await;
    }
    roll_up(&mut connection, settled(66)).await;
    let all = checks(&pool).await;
    let second = (begin() + TimeDelta::days(2)).date_naive();
    let dropped = drop_checks_before(&mut connection, second).await.unwrap();
    assert_eq!(dropped.len(), 2);
    ask(&pool, &mut rng, &all).await;
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_site_that_was_never_checked_has_a_timeline_of_nothing(pool: PgPool) {
    let new = json!({"name": "new", "url": "http://x"});
    let id = sites::add(&pool, &site(&new)).await.unwrap();
    let provider = MetricDataProvider::new(pool);
    let told = provider
        .timelines(&[id], window(24), begin())
        .await
        .unwrap();
    let nothing = vec![0; 24];
    let expected = SiteTimeline {
        site: id,
        up: nothing.clone(),
        degraded: nothing.clone(),
        down: nothing.clone(),
        missed: nothing.clone(),
        error: nothing,
        p95_us: vec![None; 24],
    };
    assert_eq!((told.to, told.sites), (begin(), vec![expected]));
}

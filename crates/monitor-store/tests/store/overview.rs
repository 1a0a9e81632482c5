//! The fleet at a glance is what plain arithmetic makes of the checks, however it was kept.

mod kept;
mod states;

use chrono::TimeDelta;
use fastrand::Rng;
use monitor_core::Outcome;
use monitor_core::histogram::RELATIVE_ERROR;
use monitor_core::metric::{OutcomeCounts, Overview, OverviewWindow, SiteOverview};
use monitor_store::rollups::{close_hours, drop_checks_before, progress};
use monitor_store::{MetricDataProvider, PgConnection, sites};
use serde_json::json;
use sqlx::PgPool;
use tokio::task::JoinSet;

use crate::rollups::random::begin;
use crate::rollups::{roll_up, settled, store};
use crate::sample::{event, site, slot};
use crate::summaries::expected::{Check, checks};
use crate::summaries::{Fleet, HOURS};

fn window(hours: u16) -> OverviewWindow {
    OverviewWindow::hours(hours).unwrap()
}

/// Each site says what those of the checks come to that are in the window.
fn assert_right(overview: &Overview, checks: &[Check]) {
    let inside = |check: &&Check| (overview.from..overview.to).contains(&check.scheduled_at);
    let checks: Vec<_> = checks.iter().filter(inside).collect();
    let mut all = OutcomeCounts::default();
    for site in &overview.sites {
        let of_site = checks.iter().filter(|check| check.site_id == site.site.0);
        let of_site: Vec<_> = of_site.copied().collect();
        let count = |outcome: &str| {
            let is = |check: &&&Check| check.outcome == outcome;
            of_site.iter().filter(is).count() as u64
        };
        let outcomes = OutcomeCounts {
            up: count("up"),
            degraded: count("degraded"),
            down: count("down"),
            missed: count("missed"),
            error: count("error"),
        };
        assert_eq!(site.outcomes, outcomes, "{} of {overview:?}", site.name);
        assert_eq!(site.uptime, outcomes.uptime());
        assert_eq!(site.coverage, outcomes.coverage());
        all += outcomes;
        assert_percentiles(site, &of_site);
    }
    assert_eq!(overview.fleet.outcomes, all);
    assert_eq!(overview.fleet.uptime, all.uptime());
    assert_eq!(overview.fleet.coverage, all.coverage());
}

fn assert_percentiles(site: &SiteOverview, checks: &[&Check]) {
    let available = checks
        .iter()
        .filter(|check| ["up", "degraded"].contains(&&*check.outcome));
    let mut totals: Vec<i32> = available.filter_map(|check| check.durations[5]).collect();
    totals.sort_unstable();
    for (percent, said) in [(50, site.p50_us), (95, site.p95_us)] {
        let rank = (percent * totals.len()).div_ceil(100).max(1);
        let right = totals.get(rank - 1).copied().map(f64::from);
        assert_eq!(said.is_some(), right.is_some());
        let (said, right) = (said.unwrap_or_default(), right.unwrap_or_default());
        let off = (said - right).abs();
        assert!(
            off <= RELATIVE_ERROR * right * 1.000_001,
            "p{percent}: {said}, {right}"
        );
    }
}

/// Asks at random, twice each, and compares with the checks.
async fn ask(provider: &MetricDataProvider, pool: &PgPool, rng: &mut Rng, checks: &[Check]) {
    let mut connection = pool.acquire().await.unwrap();
    let final_to = progress(&mut connection).await.unwrap().final_to();
    // What was asked for last is kept, so the first are asked for again by the next.
    let again = [(24, 75), (60, 70), (15, 19)];
    let mut windows = again.to_vec();
    windows.extend((0..9).map(|_| (rng.u16(1..90), rng.i64(0..80))));
    windows.extend(again);
    for (hours, end) in windows {
        let minutes = TimeDelta::minutes(5 * rng.i64(0..12));
        let now = begin() + TimeDelta::hours(end) + minutes;
        for _ in 0..2 {
            let overview = provider.overview(window(hours), now).await.unwrap();
            let hour = begin() + TimeDelta::hours(end);
            assert_eq!(overview.from, hour - TimeDelta::hours(hours.into()));
            if final_to.is_none_or(|final_to| now >= final_to) {
                assert_eq!(overview.to, now);
            }
            assert_eq!(overview.sites.len(), 3);
            assert_right(&overview, checks);
        }
    }
}

/// One provider all the time: hours are closed, marked, corrected, and dropped.
#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn it_is_right_whatever_has_become_of_the_checks(pool: PgPool) {
    let mut rng = Rng::with_seed(11);
    let provider = MetricDataProvider::new(pool.clone());
    let fleet = Fleet::new(&pool, 4).await;
    let mut connection = pool.acquire().await.unwrap();
    store(&mut connection, &fleet.checks(&mut rng, 1_200, 0..HOURS)).await;
    ask(&provider, &pool, &mut rng, &checks(&pool).await).await;
    for closed in [20, 60, 66] {
        roll_up(&mut connection, settled(closed)).await;
        ask(&provider, &pool, &mut rng, &checks(&pool).await).await;
        store(&mut connection, &fleet.checks(&mut rng, 60, 0..HOURS)).await;
        let known = checks(&pool).await;
        ask(&provider, &pool, &mut rng, &known).await;
        roll_up(&mut connection, settled(closed)).await;
        ask(&provider, &pool, &mut rng, &known).await;
    }
    close_hours(&mut connection, settled(70), u32::MAX)
        .await
        .unwrap();
    roll_up(&mut connection, settled(70)).await;
    let all = checks(&pool).await;
    let second = (begin() + TimeDelta::days(2)).date_naive();
    let dropped = drop_checks_before(&mut connection, second).await.unwrap();
    assert_eq!(dropped.len(), 2);
    ask(&provider, &pool, &mut rng, &all).await;
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn of_the_running_hour_it_reads_again_what_was_stored(pool: PgPool) {
    for name in 1..=9 {
        let config = json!({"name": format!("site-{name}"), "url": "http://x"});
        sites::add(&pool, &site(&config)).await.unwrap();
    }
    let mut connection = pool.acquire().await.unwrap();
    let provider = MetricDataProvider::new(pool.clone());
    let check = |site, region, minute, outcome| {
        let at = begin() + TimeDelta::minutes(minute);
        event(&slot(site, region, at), outcome)
    };
    let right = async |minute| {
        let now = begin() + TimeDelta::minutes(minute);
        for _ in 0..2 {
            let overview = provider.overview(window(1), now).await.unwrap();
            assert_right(&overview, &checks(&pool).await);
        }
    };
    let minutes = (1..=9).flat_map(|site| {
        let outcome = move |minute| match minute % 3 {
            0 => Outcome::Missed,
            _ => Outcome::Up,
        };
        (0..20).map(move |minute| check(site, "eu", minute, outcome(minute)))
    });
    store(&mut connection, &minutes.collect::<Vec<_>>()).await;
    right(20).await;
    // What replaces another, what is late, of a region that was not heard of, and what is new.
    for stored in [
        check(3, "eu", 6, Outcome::Down),
        check(4, "eu", -30, Outcome::Degraded),
        check(5, "us", 3, Outcome::Up),
        check(6, "eu", 20, Outcome::Error),
    ] {
        store(&mut connection, &[stored]).await;
        right(21).await;
    }
    // Time may go back, and on again over what was there.
    for minute in [20, 7, 30] {
        right(minute).await;
    }
}

/// The number that says whether rollups have changed.
async fn revision(connection: &mut PgConnection) -> i64 {
    let revision = sqlx::query_scalar("SELECT revision FROM rollup_progress");
    revision.fetch_one(connection).await.unwrap()
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn the_revision_changes_with_rollups_and_their_progress_and_not_without(pool: PgPool) {
    let mut rng = Rng::with_seed(12);
    let fleet = Fleet::new(&pool, 4).await;
    let mut connection = pool.acquire().await.unwrap();
    store(&mut connection, &fleet.checks(&mut rng, 300, 0..HOURS)).await;
    assert_eq!(revision(&mut connection).await, 0);
    roll_up(&mut connection, settled(60)).await;
    let mut last = revision(&mut connection).await;
    assert!(last > 0);
    // Nothing is due, nothing is old.
    roll_up(&mut connection, settled(60)).await;
    let deleted = monitor_store::rollups::delete_before(&mut connection, begin().date_naive(), 9);
    assert_eq!(deleted.await.unwrap(), (0, false));
    assert_eq!(revision(&mut connection).await, last);
    for change in [
        "UPDATE rollup_progress SET raw_from = '2020-01-01'",
        "UPDATE rollup_days SET up = up + 1",
        "DELETE FROM rollup_hours WHERE site_id = 1",
        "TRUNCATE rollup_days",
        "INSERT INTO rollup_days SELECT (jsonb_populate_record(NULL::rollup_days,
            to_jsonb(rollup_hours) || '{\"day\": \"2026-01-05\"}')).* FROM rollup_hours LIMIT 1",
    ] {
        sqlx::query(change).execute(&mut *connection).await.unwrap();
        let revision = revision(&mut connection).await;
        assert!(revision > last, "{change}");
        last = revision;
    }
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn it_is_of_one_moment_while_hours_are_closed(pool: PgPool) {
    let mut rng = Rng::with_seed(13);
    let fleet = Fleet::new(&pool, 3).await;
    let mut connection = pool.acquire().await.unwrap();
    store(&mut connection, &fleet.checks(&mut rng, 600, 0..HOURS)).await;
    let known = checks(&pool).await;
    let mut upkeep = JoinSet::new();
    upkeep.spawn(async move {
        for hour in 1..=HOURS {
            roll_up(&mut connection, settled(hour)).await;
        }
    });
    let provider = MetricDataProvider::new(pool.clone());
    let now = begin() + TimeDelta::hours(HOURS + 1);
    let mut asked = 0;
    while upkeep.try_join_next().transpose().unwrap().is_none() {
        let overviews = [1, 2].map(|_| provider.overview(window(90), now));
        let [one, two] = overviews;
        let (one, two) = tokio::join!(one, two);
        assert_right(&one.unwrap(), &known);
        assert_right(&two.unwrap(), &known);
        asked += 1;
    }
    assert!(asked > 1, "nothing was asked meanwhile");
}

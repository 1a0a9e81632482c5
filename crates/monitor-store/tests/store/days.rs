//! How checks ended by the day is what counting them by the day gives, wherever it is read from.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use fastrand::Rng;
use monitor_core::SiteId;
use monitor_core::metric::{DailyOutcomes, OutcomeCounts};
use monitor_store::MetricDataProvider;
use sqlx::PgPool;

use crate::rollups::random::begin;
use crate::rollups::{roll_up, settled, store};
use crate::summaries::expected::{Check, checks};
use crate::summaries::{Fleet, HOURS};

fn counted(checks: &[Check], sites: &[SiteId], from: NaiveDate) -> Vec<DailyOutcomes> {
    let mut days: BTreeMap<_, OutcomeCounts> = BTreeMap::new();
    for check in checks {
        let (site, day) = (SiteId(check.site_id), check.scheduled_at.date_naive());
        if !sites.contains(&site) || day < from {
            continue;
        }
        let counts = days.entry((site, day)).or_default();
        *match &*check.outcome {
            "up" => &mut counts.up,
            "degraded" => &mut counts.degraded,
            "down" => &mut counts.down,
            "missed" => &mut counts.missed,
            _ => &mut counts.error,
        } += 1;
    }
    let days = days
        .into_iter()
        .map(|((site, day), outcomes)| DailyOutcomes {
            site,
            day,
            outcomes,
        });
    days.collect()
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn they_are_the_same_whatever_is_rolled_up(pool: PgPool) {
    let mut rng = Rng::with_seed(5);
    let provider = MetricDataProvider::new(pool.clone());
    let fleet = Fleet::new(&pool, 4).await;
    let mut connection = pool.acquire().await.unwrap();
    store(&mut connection, &fleet.checks(&mut rng, 1_200, 0..HOURS)).await;
    let checks = checks(&pool).await;
    let sites = [SiteId(3), SiteId(1), SiteId(99)];
    let first = begin().date_naive();
    // Nothing is closed, hours are, a day is, all are.
    for closed in [None, Some(1), Some(20), Some(60), Some(HOURS)] {
        if let Some(closed) = closed {
            roll_up(&mut connection, settled(closed)).await;
        }
        for skipped in 0..5 {
            let from = first + Days::new(skipped);
            let told = provider.daily_outcomes(&sites, from).await.unwrap();
            let expected = counted(&checks, &sites, from);
            assert_eq!(told, expected, "from {from}, closed {closed:?}");
            assert_eq!(told.is_empty(), skipped > 3, "{skipped}");
        }
    }
    assert_eq!(provider.daily_outcomes(&[], first).await.unwrap(), []);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn late_checks_count_once_they_are_rolled_up(pool: PgPool) {
    let mut rng = Rng::with_seed(6);
    let provider = MetricDataProvider::new(pool.clone());
    let fleet = Fleet::new(&pool, 2).await;
    let mut connection = pool.acquire().await.unwrap();
    store(&mut connection, &fleet.checks(&mut rng, 300, 0..HOURS)).await;
    roll_up(&mut connection, settled(60)).await;
    store(&mut connection, &fleet.checks(&mut rng, 50, 0..50)).await;
    let sites = [SiteId(1), SiteId(2)];
    let first = begin().date_naive();
    let expected = counted(&checks(&pool).await, &sites, first);
    let before = provider.daily_outcomes(&sites, first).await.unwrap();
    assert_ne!(before, expected);
    roll_up(&mut connection, settled(60)).await;
    let after = provider.daily_outcomes(&sites, first).await.unwrap();
    assert_eq!(after, expected);
}

//! Outages are what one finds who looks at all checks, wherever they are read from.

mod expected;

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use monitor_core::metric::{Outage, OutageRequest, Outages, Precision, Sites, Subject, TimeRange};
use monitor_core::{CheckEvent, Outcome, SiteId};
use monitor_store::MetricDataProvider;
use monitor_store::rollups::{drop_checks_before, progress};
use sqlx::PgPool;

use self::expected::{expected, overlaps, told};
use crate::rollups::random::begin;
use crate::rollups::{roll_up, settled, store};
use crate::sample::{event, slot};
use crate::summaries::expected::{Check, checks};
use crate::summaries::{Fleet, HOURS, is_of, range};

/// All of them, page by page.
async fn pages(
    provider: &MetricDataProvider,
    subject: &Subject,
    range: TimeRange,
    limit: u32,
) -> Vec<Outage> {
    let mut request = OutageRequest::first(limit);
    let mut all = Vec::new();
    loop {
        let page = provider.outages(subject, range, &request).await;
        let Outages { items, next } = page.unwrap();
        assert!(items.len() <= usize::try_from(limit).unwrap());
        all.extend(items);
        let Some(next) = next else { return all };
        request = request.after(next);
    }
}

/// Asks at random, and compares with the checks.
async fn ask(pool: &PgPool, fleet: &Fleet, rng: &mut Rng, checks: &[Check]) {
    let provider = MetricDataProvider::new(pool.clone());
    let mut connection = pool.acquire().await.unwrap();
    let final_to = progress(&mut connection).await.unwrap().final_to();
    for _ in 0..25 {
        let (subject, range) = (fleet.subject(rng), range(rng));
        let of_subject = checks.iter().filter(|check| is_of(&subject, check));
        let mut expected = expected(&of_subject.collect::<Vec<_>>(), final_to);
        expected.retain(|outage| overlaps(outage, range));
        let limit = [7, 50, 1_000][rng.usize(0..3)];
        let said = pages(&provider, &subject, range, limit).await;
        let said: Vec<_> = said.iter().map(told).collect();
        for (said, expected) in said.iter().zip(&expected) {
            assert_eq!(said, expected, "{subject:?} {range:?} {limit}");
        }
        assert_eq!(said.len(), expected.len(), "{subject:?} {range:?} {limit}");
    }
}

/// Before and after they are rolled up, and when checks have been dropped.
async fn scenario(pool: &PgPool, seed: u64, sites: i64) {
    let mut rng = Rng::with_seed(seed);
    let fleet = Fleet::new(pool, sites).await;
    let mut connection = pool.acquire().await.unwrap();
    let count = usize::try_from(sites).unwrap() * 200;
    store(&mut connection, &fleet.checks(&mut rng, count, 0..HOURS)).await;
    let all = checks(pool).await;
    ask(pool, &fleet, &mut rng, &all).await;

    roll_up(&mut connection, settled(66)).await;
    let second = (begin() + TimeDelta::days(2)).date_naive();
    let dropped = drop_checks_before(&mut connection, second).await.unwrap();
    assert_eq!(dropped.len(), 2);
    ask(pool, &fleet, &mut rng, &all).await;
    // Those of days that are gone count nowhere.
    store(&mut connection, &fleet.checks(&mut rng, 40, 0..HOURS)).await;
    let gone = |check: &&Check| check.scheduled_at.date_naive() < second;
    let mut known = checks(pool).await;
    known.retain(|check| !gone(&check));
    known.extend(all.iter().filter(gone).cloned());
    ask(pool, &fleet, &mut rng, &known).await;
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn of_few_series_they_are_right(pool: PgPool) {
    scenario(&pool, 1, 4).await;
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn of_many_series_they_are_right(pool: PgPool) {
    scenario(&pool, 2, 20).await;
}

/// Checks of a site by the minute: `U` up, `D` down, `M` missed, `E` error.
fn minutes(region: &str, from: DateTime<Utc>, outcomes: &str) -> Vec<CheckEvent> {
    let outcomes = outcomes.chars().zip(0..);
    let check = |(outcome, minute)| {
        let outcome = match outcome {
            'U' => Outcome::Up,
            'D' => Outcome::Down,
            'M' => Outcome::Missed,
            _ => Outcome::Error,
        };
        let at = from + TimeDelta::minutes(minute);
        event(&slot(1, region, at), outcome)
    };
    outcomes.map(check).collect()
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn our_own_trouble_neither_begins_nor_ends_one(pool: PgPool) {
    Fleet::new(&pool, 1).await;
    let mut connection = pool.acquire().await.unwrap();
    store(&mut connection, &minutes("eu", begin(), "MEUMDMEDEUEM")).await;
    store(&mut connection, &minutes("us", begin(), "UUUUUUUUDUUD")).await;
    let provider = MetricDataProvider::new(pool.clone());
    let subject = Subject::of(Sites::One(SiteId(1)));
    let minute = |minute| begin() + TimeDelta::minutes(minute);
    // The range is inside of the first, and tells the whole of it.
    let range = TimeRange::new(minute(6), minute(60)).unwrap();
    let [last, first] = &pages(&provider, &subject, range, 10).await[..] else {
        panic!("not two outages");
    };
    assert_eq!((last.started_at, last.ended_at), (minute(11), None));
    assert_eq!(first.started_at, minute(4));
    assert_eq!(first.ended_at, Some(minute(9)));
    assert_eq!(first.precision, Precision::Check);
    assert_eq!(first.name.as_deref(), Some("a"));
    let cause = first.cause.as_ref().unwrap();
    assert_eq!(cause.region.as_str(), "eu");
    assert_eq!(
        (&*cause.failure.detail, cause.status_code),
        ("told in one line", Some(200))
    );
    let regions = first.regions.iter();
    let regions: Vec<_> = regions
        .map(|told| (told.region.as_str(), told.started_at, told.ended_at))
        .collect();
    assert_eq!(
        regions,
        [
            ("eu", minute(4), Some(minute(9))),
            ("us", minute(8), Some(minute(9))),
        ]
    );
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn one_that_began_when_checks_are_gone_is_known_by_the_hour(pool: PgPool) {
    Fleet::new(&pool, 1).await;
    let mut connection = pool.acquire().await.unwrap();
    let midnight = begin() + TimeDelta::hours(2);
    let minute = |minute| midnight + TimeDelta::minutes(minute);
    store(&mut connection, &minutes("eu", minute(-90), "UUD")).await;
    store(&mut connection, &minutes("eu", minute(-30), "MEM")).await;
    store(&mut connection, &minutes("eu", minute(10), "DDU")).await;
    roll_up(&mut connection, settled(30)).await;
    let dropped = drop_checks_before(&mut connection, midnight.date_naive());
    assert_eq!(dropped.await.unwrap().len(), 1);

    let provider = MetricDataProvider::new(pool.clone());
    let range = TimeRange::new(minute(0), minute(60)).unwrap();
    let subject = Subject::of(Sites::All);
    let [outage] = &pages(&provider, &subject, range, 10).await[..] else {
        panic!("not one outage");
    };
    let said = (outage.started_at, outage.ended_at);
    assert_eq!(said, (minute(-120), Some(minute(12))));
    assert_eq!((outage.precision, &outage.cause), (Precision::Hour, &None));
}

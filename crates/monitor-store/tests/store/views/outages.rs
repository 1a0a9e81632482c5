//! The views of outages and of the state of sites, beside plain arithmetic.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use monitor_core::Outcome;
use monitor_store::{PgConnection, maintenance, sites};
use serde_json::json;
use sqlx::PgPool;
use strum::VariantArray as _;

use crate::rollups::random::{begin, check};
use crate::rollups::store;
use crate::sample::{event, site, slot};

type Outage = (i64, String, DateTime<Utc>, Option<DateTime<Utc>>, String);

/// Stores checks at random, most of them telling nothing.
async fn stored(connection: &mut PgConnection) {
    let mut rng = Rng::with_seed(8);
    let checks: Vec<_> = (0..1_500).map(|_| check(&mut rng, 0..30)).collect();
    store(connection, &checks).await;
}

/// What the stored checks come to, looked at one after the other.
async fn expected(pool: &PgPool) -> Vec<Outage> {
    let checks: Vec<(i64, String, DateTime<Utc>, String, Option<String>)> = sqlx::query_as(
        "SELECT site_id, region, scheduled_at, outcome::TEXT, failure_kind::TEXT
        FROM checks ORDER BY scheduled_at",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut last: BTreeMap<(i64, String), Outage> = BTreeMap::new();
    let mut ended = Vec::new();
    for (site, region, at, outcome, kind) in checks {
        let key = (site, region.clone());
        match outcome.as_str() {
            "down" => {
                let first = (site, region, at, None, kind.unwrap());
                last.entry(key).or_insert(first);
            }
            "up" | "degraded" => ended.extend(last.remove(&key).map(|mut outage| {
                outage.3 = Some(at);
                outage
            })),
            _ => {}
        }
    }
    ended.extend(last.into_values());
    ended.sort();
    ended
}

async fn said(pool: &PgPool) -> Vec<Outage> {
    sqlx::query_as(
        "SELECT site_id, region, started_at, ended_at, failure_kind::TEXT FROM outages
        ORDER BY site_id, region, started_at",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn outages_are_what_the_checks_one_by_one_say(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    stored(&mut connection).await;
    let expected = expected(&pool).await;
    assert!(expected.len() > 100, "{}", expected.len());
    assert_eq!(said(&pool).await, expected);
    let lasting = "SELECT bool_and(duration = coalesce(ended_at, now()) - started_at) FROM outages";
    let right: bool = sqlx::query_scalar(lasting).fetch_one(&pool).await.unwrap();
    assert!(right);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn days_from_before_the_index_get_it(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let as_before = "DROP INDEX check_results_down";
    sqlx::raw_sql(as_before).execute(&pool).await.unwrap();
    stored(&mut connection).await;
    let on_the_whole_alone = "CREATE INDEX check_results_down
        ON ONLY check_results (site_id, region_id, scheduled_at) WHERE outcome = 'down'";
    sqlx::raw_sql(on_the_whole_alone)
        .execute(&pool)
        .await
        .unwrap();
    // A day that is made from now on has it; what an attempt has left behind is no trouble.
    let leftovers = "SELECT create_check_results_partition('2026-02-01');
        CREATE INDEX check_results_20260105_down ON check_results_20260105 (site_id)";
    sqlx::raw_sql(leftovers).execute(&pool).await.unwrap();

    let mut days = Vec::new();
    while let Some(day) = maintenance::index_down(&mut connection).await.unwrap() {
        days.push(day.to_string());
    }
    assert_eq!(days, ["2026-01-07", "2026-01-06", "2026-01-05"]);
    let valid = "SELECT indisvalid FROM pg_index
        WHERE indexrelid = 'check_results_down'::regclass";
    let valid: bool = sqlx::query_scalar(valid).fetch_one(&pool).await.unwrap();
    assert!(valid);
    assert_eq!(said(&pool).await, expected(&pool).await);
}

/// Name, state, and region of each site.
async fn overview(pool: &PgPool) -> Vec<(String, String, Option<String>)> {
    sqlx::query_as("SELECT site, state, region FROM site_overview ORDER BY site")
        .fetch_all(pool)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_site_is_as_bad_as_the_worst_of_the_regions_that_have_told_lately(pool: PgPool) {
    for (name, extra) in [
        ("a", json!({})),
        ("b", json!({"regions": ["eu"]})),
        ("c", json!({"enabled": false})),
        ("d", json!({"url": "http://x/?token=secret"})),
        ("e", json!({})),
        ("f", json!({})),
    ] {
        let mut config = json!({"name": name, "url": "http://x", "interval": "60s"});
        let fields = config.as_object_mut().unwrap();
        fields.extend(extra.as_object().unwrap().clone());
        sites::add(&pool, &site(&config)).await.unwrap();
    }
    let mut connection = pool.acquire().await.unwrap();
    let now = maintenance::status(&mut connection).await.unwrap().now;
    let ago = |minutes| now - TimeDelta::minutes(minutes);
    let told = [
        (1, "eu", Outcome::Up, 1),
        (1, "us", Outcome::Down, 1),
        // Of regions that do not check it now, nothing counts.
        (2, "eu", Outcome::Degraded, 1),
        (2, "us", Outcome::Down, 1),
        (3, "eu", Outcome::Down, 1),
        // One that has not told lately counts only when none has.
        (5, "eu", Outcome::Down, 10),
        (5, "us", Outcome::Up, 1),
        (6, "eu", Outcome::Up, 10),
        (6, "eu", Outcome::Missed, 1),
    ];
    let told = told
        .map(|(site, region, outcome, minutes)| event(&slot(site, region, ago(minutes)), outcome));
    store(&mut connection, &told).await;
    let row = |site: &str, state: &str, region: Option<&str>| {
        (site.to_owned(), state.to_owned(), region.map(str::to_owned))
    };
    assert_eq!(
        overview(&pool).await,
        [
            row("a", "down", Some("us")),
            row("b", "degraded", Some("eu")),
            row("c", "disabled", Some("eu")),
            row("d", "unknown", None),
            row("e", "up", Some("us")),
            row("f", "stale", Some("eu")),
        ]
    );
    let url = "SELECT url FROM site_overview WHERE site = 'd'";
    let url: String = sqlx::query_scalar(url).fetch_one(&pool).await.unwrap();
    assert_eq!(url, "http://x/");
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn the_fleet_by_the_hour_is_the_sum_of_its_sites(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    stored(&mut connection).await;
    let now = begin() + TimeDelta::hours(40);
    monitor_store::rollups::close_hours(&mut connection, now, u32::MAX)
        .await
        .unwrap();
    for outcome in Outcome::VARIANTS {
        let outcome: &str = outcome.into();
        let counts = format!(
            "SELECT
                (SELECT sum({outcome})::BIGINT FROM fleet_uptime_hourly),
                (SELECT count(*) FROM checks WHERE outcome = '{outcome}')"
        );
        let counts = sqlx::query_as(sqlx::AssertSqlSafe(counts));
        let (fleet, checks): (i64, i64) = counts.fetch_one(&pool).await.unwrap();
        assert_eq!(fleet, checks);
    }
}

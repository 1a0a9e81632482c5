//! How sites are said to be.

use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::Outcome;
use monitor_core::metric::SiteState;
use monitor_store::sites::{self, SiteFilter, SitePageRequest};
use monitor_store::{MetricDataProvider, maintenance};
use serde_json::json;
use sqlx::PgPool;
use strum::VariantArray as _;

use super::window;
use crate::rollups::store;
use crate::sample::{event, site, slot};

/// Sites in every state, by the clock of the database.
async fn sites_in_every_state(pool: &PgPool) -> DateTime<Utc> {
    for (name, extra) in [
        ("a", json!({})),
        (
            "b",
            json!({"regions": ["eu"], "url": "http://x/p?token=secret"}),
        ),
        ("c", json!({"enabled": false})),
        ("d", json!({})),
        ("e", json!({})),
        ("f", json!({"interval": "10m"})),
    ] {
        let mut config = json!({"name": name, "url": "http://x"});
        let fields = config.as_object_mut().unwrap();
        fields.extend(extra.as_object().unwrap().clone());
        sites::add(pool, &site(&config)).await.unwrap();
    }
    let now = now(pool).await;
    let told = [
        (1, "eu", Outcome::Up, 1),
        (1, "us", Outcome::Down, 1),
        (2, "eu", Outcome::Degraded, 1),
        (2, "us", Outcome::Down, 1),
        (3, "eu", Outcome::Down, 1),
        (5, "eu", Outcome::Up, 12),
        (5, "eu", Outcome::Missed, 1),
        (6, "eu", Outcome::Up, 12),
    ];
    let told = told.map(|(site, region, outcome, minutes)| {
        event(
            &slot(site, region, now - TimeDelta::minutes(minutes)),
            outcome,
        )
    });
    store(&mut pool.acquire().await.unwrap(), &told).await;
    now
}

async fn now(pool: &PgPool) -> DateTime<Utc> {
    let mut connection = pool.acquire().await.unwrap();
    maintenance::status(&mut connection).await.unwrap().now
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn states_are_told_as_in_sql_and_with_what_was_seen_last(pool: PgPool) {
    let now = sites_in_every_state(&pool).await;
    let provider = MetricDataProvider::new(pool.clone());
    let overview = provider.overview(window(1), now).await.unwrap();
    let states = overview.sites.iter().map(|site| site.state);
    assert_eq!(
        states.collect::<Vec<_>>(),
        [
            SiteState::Down,
            SiteState::Degraded,
            SiteState::Disabled,
            SiteState::Unknown,
            SiteState::Stale,
            SiteState::Up,
        ]
    );
    let in_sql: Vec<(String, Option<DateTime<Utc>>)> =
        sqlx::query_as("SELECT state, since FROM site_overview ORDER BY site")
            .fetch_all(&pool)
            .await
            .unwrap();
    let said = overview.sites.iter().map(|site| {
        let state = serde_json::to_value(site.state).unwrap();
        (state.as_str().unwrap().to_owned(), site.since)
    });
    assert_eq!(said.collect::<Vec<_>>(), in_sql);

    let states = overview.fleet.states;
    assert_eq!((states.down, states.stale, states.disabled), (1, 1, 1));
    let b = &overview.sites[1];
    assert_eq!((&*b.url, b.regions.len()), ("http://x/p", 1));
    let us = &overview.sites[0].regions[1];
    assert_eq!((us.region.as_str(), us.outcome), ("us", Outcome::Down));
    let failure = us.failure.as_ref().unwrap();
    assert_eq!(failure.detail, "told in one line");
    let heard = overview.fleet.regions.iter();
    let heard: Vec<_> = heard
        .map(|heard| (heard.region.as_str(), heard.sites, heard.stale))
        .collect();
    assert_eq!(heard, [("eu", 4, 1), ("us", 1, 0)]);
}

/// What a region may have told: nothing, nothing of the site, something lately, or long ago.
const TOLD: [Option<(Outcome, i64)>; 8] = [
    None,
    Some((Outcome::Missed, 1)),
    Some((Outcome::Up, 1)),
    Some((Outcome::Degraded, 1)),
    Some((Outcome::Down, 1)),
    Some((Outcome::Up, 30)),
    Some((Outcome::Degraded, 30)),
    Some((Outcome::Down, 30)),
];

/// A site for each pair of what two regions may have told, once checked from both, once from one of them
/// and once not at all.
async fn sites_of_all_kinds(pool: &PgPool) -> DateTime<Utc> {
    let now = now(pool).await;
    let mut events = Vec::new();
    for (index, extra) in [
        json!({}),
        json!({"regions": ["eu"]}),
        json!({"enabled": false}),
    ]
    .iter()
    .enumerate()
    {
        for (eu, us) in (0..TOLD.len()).flat_map(|eu| (0..TOLD.len()).map(move |us| (eu, us))) {
            let mut config = json!({"name": format!("{index}{eu}{us}"), "url": "http://x"});
            let fields = config.as_object_mut().unwrap();
            fields.extend(extra.as_object().unwrap().clone());
            let id = sites::add(pool, &site(&config)).await.unwrap().0;
            for (region, told) in [("eu", TOLD[eu]), ("us", TOLD[us])] {
                events.extend(told.map(|(outcome, minutes)| {
                    event(
                        &slot(id, region, now - TimeDelta::minutes(minutes)),
                        outcome,
                    )
                }));
            }
        }
    }
    store(&mut pool.acquire().await.unwrap(), &events).await;
    now
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_state_means_the_same_to_the_list_the_overview_and_sql(pool: PgPool) {
    let now = sites_of_all_kinds(&pool).await;
    let provider = MetricDataProvider::new(pool.clone());
    let overview = provider.overview(window(1), now).await.unwrap();
    assert_eq!(overview.sites.len(), 3 * TOLD.len() * TOLD.len());
    for state in SiteState::VARIANTS {
        let sites = overview.sites.iter().filter(|site| site.state == *state);
        let told: Vec<_> = sites.map(|site| site.site).collect();
        assert!(!told.is_empty(), "{state}");

        let filter = SiteFilter {
            state: Some(*state),
            ..SiteFilter::default()
        };
        let page = SitePageRequest::first(1_000);
        let listed = sites::list(&pool, &filter, &page, now).await.unwrap();
        let listed: Vec<_> = listed
            .sites
            .into_iter()
            .map(|listed| (listed.site.unwrap().site.id, listed.now.state))
            .collect();
        let expected: Vec<_> = told.iter().map(|id| (*id, *state)).collect();
        assert_eq!(listed, expected);

        let sql = "SELECT site_id FROM site_overview WHERE state = $1 ORDER BY site";
        let query = sqlx::query_scalar::<_, i64>(sql).bind(state.to_string());
        let in_sql = query.fetch_all(&pool).await.unwrap();
        assert_eq!(in_sql, told.iter().map(|id| id.0).collect::<Vec<_>>());
    }
}

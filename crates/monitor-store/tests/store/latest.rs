//! The latest check of every site.

use monitor_core::event::ContentMatch;
use monitor_core::metric::{LatestCheck, SiteState};
use monitor_core::{Outcome, SiteId};
use monitor_store::{MetricDataProvider, sites};
use serde_json::json;
use sqlx::PgPool;

use crate::sample::{event, instant, site, slot};
use crate::stored::store;

async fn add(pool: &PgPool, name: &str, enabled: bool) -> SiteId {
    let config = json!({"name": name, "url": "https://x/?token=hunter2", "enabled": enabled});
    sites::add(pool, &site(&config)).await.unwrap()
}

/// As it is told in that second.
async fn latest(pool: &PgPool, sites: u32, second: i64) -> Vec<LatestCheck> {
    let provider = MetricDataProvider::new(pool.clone());
    provider.latest(sites, instant(second)).await.unwrap()
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn it_is_told_with_what_it_saw(pool: PgPool) {
    let [b, a, off] = [("b", true), ("a", true), ("off", false)];
    let ids = [
        add(&pool, b.0, b.1).await,
        add(&pool, a.0, a.1).await,
        add(&pool, off.0, off.1).await,
    ];
    add(&pool, "never checked", true).await;
    let mut events = Vec::new();
    for (id, region, minute) in [
        (0, "us", 0),
        (0, "us", 1),
        (0, "eu", 0),
        (1, "eu", 0),
        (2, "eu", 0),
    ] {
        let mut event = event(&slot(ids[id].0, region, instant(minute)), Outcome::Up);
        event.content = ContentMatch::Matched;
        event.timings_us.dns = Some(7);
        events.push(event);
    }
    let mut connection = pool.acquire().await.unwrap();
    store(&mut connection, &events, None).await.unwrap();

    let told = latest(&pool, 10, 60).await;
    let shown: Vec<_> = told
        .iter()
        .map(|check| {
            (
                check.name.as_str(),
                check.region.as_str(),
                check.scheduled_at,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("a", "eu", instant(0)),
            ("b", "eu", instant(0)),
            ("b", "us", instant(1))
        ]
    );
    for check in &told {
        assert_eq!((check.outcome, check.state), (Outcome::Up, SiteState::Up));
        assert_eq!(
            (check.content, check.timings_us.dns),
            (Some(ContentMatch::Matched), Some(7))
        );
        assert_eq!(check.url, "https://x/");
    }
    assert_eq!(latest(&pool, 1, 60).await, told[..1]);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn it_is_known_also_when_it_is_not_stored_any_more(pool: PgPool) {
    let id = add(&pool, "old", true).await;
    let mut connection = pool.acquire().await.unwrap();
    let down = event(&slot(id.0, "eu", instant(0)), Outcome::Down);
    store(&mut connection, &[down], None).await.unwrap();
    sqlx::query("TRUNCATE check_results")
        .execute(&mut *connection)
        .await
        .unwrap();
    let told = latest(&pool, 10, 3_600).await;
    assert_eq!((told[0].outcome, told[0].content), (Outcome::Down, None));
    assert_eq!(told[0].state, SiteState::Stale);
}

//! Sites are listed by name, with how they are, a page at a time.

use monitor_core::metric::SiteState;
use monitor_core::{Outcome, SiteId};
use monitor_store::sites::{self, ListedSite, SiteFilter, SitePageRequest};
use serde_json::{Value, json};
use sqlx::PgPool;
use strum::VariantArray as _;

use crate::sample::{event, instant, site, slot};
use crate::stored::store;

/// The second in which the sites are listed.
const NOW: i64 = 90;

async fn add(pool: &PgPool, fields: Value) -> i64 {
    sites::add(pool, &site(&fields)).await.unwrap().0
}

async fn named(pool: &PgPool, name: &str) -> i64 {
    add(pool, json!({"name": name, "url": "https://example.com/"})).await
}

async fn check(pool: &PgPool, site: i64, results: &[(&str, i64, Outcome)]) {
    let of = |(region, second, outcome): &(&str, i64, Outcome)| {
        event(&slot(site, region, instant(*second)), *outcome)
    };
    let events: Vec<_> = results.iter().map(of).collect();
    let mut connection = pool.acquire().await.unwrap();
    store(&mut connection, &events, None).await.unwrap();
}

/// All pages of two sites each.
async fn all(pool: &PgPool, filter: &SiteFilter) -> Vec<ListedSite> {
    let mut page = SitePageRequest::first(2);
    let mut found = Vec::new();
    loop {
        let answer = sites::list(pool, filter, &page, instant(NOW))
            .await
            .unwrap();
        assert!(answer.sites.len() <= 2);
        found.extend(answer.sites);
        let Some(next) = answer.next else {
            return found;
        };
        page = page.after(next);
    }
}

async fn names(pool: &PgPool, filter: SiteFilter) -> Vec<String> {
    let name = |listed: ListedSite| match listed.site {
        Ok(stored) => stored.site.config.name,
        Err(invalid) => invalid.name,
    };
    all(pool, &filter).await.into_iter().map(name).collect()
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn pages_hold_every_site_once_by_name_and_an_invalid_one_hides_no_other(pool: PgPool) {
    for name in ["d", "b", "e", "a", "c"] {
        named(&pool, name).await;
    }
    sqlx::query("UPDATE sites SET expect_status = 'fine' WHERE name = 'c'")
        .execute(&pool)
        .await
        .unwrap();
    let listed = all(&pool, &SiteFilter::default()).await;
    let invalid: Vec<_> = listed.iter().map(|listed| listed.site.is_err()).collect();
    assert_eq!(invalid, [false, false, true, false, false]);
    let found = names(&pool, SiteFilter::default()).await;
    assert_eq!(found, ["a", "b", "c", "d", "e"]);
    let (every, five) = (SiteFilter::default(), SitePageRequest::first(5));
    let even = sites::list(&pool, &every, &five, instant(NOW)).await;
    assert_eq!(even.unwrap().next, None);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_filter_lets_through_what_it_names_and_nothing_else(pool: PgPool) {
    for (name, url, tags, enabled) in [
        ("100%_sure", "https://a.example.com/", json!(["shop"]), true),
        (
            "100x-sure",
            "https://b.example.com/",
            json!(["shop", "eu"]),
            false,
        ),
        ("Ünder", "https://c.example.com/SALE", json!([]), true),
    ] {
        let fields = json!({"name": name, "url": url, "tags": tags, "enabled": enabled});
        add(&pool, fields).await;
    }
    let tag = |tag: &str| SiteFilter {
        tag: Some(tag.to_owned()),
        ..SiteFilter::default()
    };
    let text = |text: &str| SiteFilter {
        text: Some(text.to_owned()),
        ..SiteFilter::default()
    };
    let enabled = |enabled| SiteFilter {
        enabled: Some(enabled),
        ..SiteFilter::default()
    };
    let both = SiteFilter {
        enabled: Some(true),
        ..tag("shop")
    };
    for (filter, expected) in [
        (tag("shop"), vec!["100%_sure", "100x-sure"]),
        (tag("sho"), vec![]),
        (text("%_S"), vec!["100%_sure"]),
        (text("SURE"), vec!["100%_sure", "100x-sure"]),
        (text("ÜnDER"), vec!["Ünder"]),
        (text("com/sale"), vec!["Ünder"]),
        (text("\\"), vec![]),
        (enabled(false), vec!["100x-sure"]),
        (both, vec!["100%_sure"]),
    ] {
        assert_eq!(names(&pool, filter.clone()).await, expected, "{filter:?}");
    }
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_site_is_as_bad_as_the_worst_of_its_regions_says(pool: PgPool) {
    use Outcome::{Degraded, Down, Error, Missed, Up};
    let here = json!({"name": "here", "url": "https://example.com/", "regions": ["eu"]});
    let nowhere = json!({"name": "nowhere", "url": "https://example.com/", "regions": ["ap"]});
    let off = json!({"name": "off", "url": "https://example.com/", "enabled": false});
    let sites = [
        (
            named(&pool, "down").await,
            vec![("eu", 0, Up), ("us", 0, Down)],
        ),
        (
            named(&pool, "again").await,
            vec![("eu", 0, Down), ("eu", 60, Up)],
        ),
        (
            named(&pool, "slow").await,
            vec![("eu", 0, Degraded), ("us", 0, Up)],
        ),
        (
            named(&pool, "lost").await,
            vec![("eu", 0, Down), ("eu", 60, Error)],
        ),
        (
            named(&pool, "silent").await,
            vec![("eu", -600, Down), ("eu", 60, Missed)],
        ),
        (add(&pool, off).await, vec![("eu", 0, Down)]),
        (named(&pool, "missed").await, vec![("eu", 0, Missed)]),
        (named(&pool, "new").await, vec![]),
        (add(&pool, here).await, vec![("eu", 0, Up), ("us", 0, Down)]),
        (
            add(&pool, nowhere).await,
            vec![("eu", 0, Up), ("us", 0, Down)],
        ),
    ];
    for (site, results) in &sites {
        check(&pool, *site, results).await;
    }
    for (state, expected) in [
        (SiteState::Down, vec!["down", "lost"]),
        (SiteState::Degraded, vec!["slow"]),
        (SiteState::Up, vec!["again", "here"]),
        (SiteState::Stale, vec!["silent"]),
        (SiteState::Unknown, vec!["missed", "new", "nowhere"]),
        (SiteState::Disabled, vec!["off"]),
    ] {
        let filter = SiteFilter {
            state: Some(state),
            ..SiteFilter::default()
        };
        for listed in all(&pool, &filter).await {
            assert_eq!(listed.now.state, state, "{listed:?}");
        }
        assert_eq!(names(&pool, filter).await, expected, "{state}");
    }
    assert_eq!(SiteState::VARIANTS.len(), 6);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_listed_site_tells_its_latest_result_in_each_region(pool: PgPool) {
    let site = named(&pool, "a").await;
    let other = named(&pool, "b").await;
    let results = [
        ("us", 0, Outcome::Down),
        ("us", 60, Outcome::Error),
        ("eu", 30, Outcome::Up),
    ];
    check(&pool, site, &results).await;
    check(&pool, other, &results[..1]).await;
    let listed = all(&pool, &SiteFilter::default()).await;
    let regions = |index: usize| &listed[index].now.regions[..];
    let ([eu, us], [_]) = (regions(0), regions(1)) else {
        panic!("{listed:?}");
    };
    assert_eq!((eu.region.as_str(), us.region.as_str()), ("eu", "us"));
    assert_eq!((eu.outcome, us.outcome), (Outcome::Up, Outcome::Error));
    assert_eq!((eu.failure.as_ref(), eu.status_code), (None, Some(200)));
    assert_eq!(eu.total_us, Some(2_147_483_647));
    assert_eq!((us.scheduled_at, us.since), (instant(60), Some(instant(0))));
    assert_eq!(
        (us.state, us.last_verdict),
        (SiteState::Down, Some(Outcome::Down))
    );
    assert_eq!(us.last_verdict_at, Some(instant(0)));
    let now = &listed[0].now;
    assert_eq!((now.state, now.since), (SiteState::Down, us.since));
    let one = sites::state(&pool, SiteId(site), instant(NOW)).await;
    assert_eq!(one.unwrap().as_ref(), Some(now));
    let none = sites::state(&pool, SiteId(77), instant(NOW)).await;
    assert_eq!(none.unwrap(), None);
    let failure = event(&slot(site, "us", instant(60)), Outcome::Error).failure;
    assert_eq!(us.failure, failure);
}

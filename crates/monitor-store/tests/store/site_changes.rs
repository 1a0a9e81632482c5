//! One site at a time is changed, if it is still as the caller knows it.

use monitor_core::{SiteConfig, SiteId};
use monitor_store::sites::{self, Change, StoredSite};
use serde_json::json;
use sqlx::PgPool;

use crate::sample::site;

fn named(name: &str, interval: &str) -> SiteConfig {
    site(&json!({"name": name, "url": "https://example.com/", "interval": interval}))
}

async fn created(pool: &PgPool, config: &SiteConfig) -> StoredSite {
    sites::create(pool, config).await.unwrap().done().unwrap()
}

async fn get(pool: &PgPool, id: SiteId) -> Option<StoredSite> {
    let stored = sites::get(pool, id).await.unwrap();
    stored.map(Result::unwrap)
}

async fn execute(pool: &PgPool, statement: &'static str) {
    sqlx::query(statement).execute(pool).await.unwrap();
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_site_is_created_once_and_found_by_its_id(pool: PgPool) {
    let stored = created(&pool, &named("a", "30s")).await;
    assert_eq!(stored.site.config, named("a", "30s"));
    assert_eq!(stored.created_at, stored.updated_at);
    assert_eq!(get(&pool, stored.site.id).await.as_ref(), Some(&stored));
    assert_eq!(get(&pool, SiteId(stored.site.id.0 + 1)).await, None);

    let again = sites::create(&pool, &named("a", "60s")).await.unwrap();
    assert_eq!(again, Change::NameTaken(stored.site.id));
    assert_eq!(get(&pool, stored.site.id).await, Some(stored));
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_replaced_site_keeps_its_id_also_under_another_name(pool: PgPool) {
    let before = created(&pool, &named("a", "30s")).await;
    let id = before.site.id;
    for config in [named("a", "60s"), named("b", "60s"), named("c", "90s")] {
        let known = get(&pool, id).await.unwrap();
        let change = sites::replace(&pool, id, &config, Some(known.version)).await;
        let after = get(&pool, id).await.unwrap();
        assert_eq!(change.unwrap(), Change::Done(after.clone()));
        assert_eq!((&after.site.config, after.site.id), (&config, id));
        assert_eq!(after.created_at, before.created_at);
        assert!(after.updated_at > known.updated_at);
        assert!(after.version > known.version);
    }
    assert_eq!(sites::load(&pool).await.unwrap().len(), 1);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_site_that_is_as_it_should_be_is_left_alone(pool: PgPool) {
    let config = named("a", "30s");
    let before = created(&pool, &config).await;
    let id = before.site.id;
    let revision = sites::revision(&pool).await.unwrap();
    let change = sites::replace(&pool, id, &config, None).await.unwrap();
    assert_eq!(change, Change::Done(before.clone()));
    sites::import(&pool, &[config], true).await.unwrap();
    assert_eq!(get(&pool, id).await, Some(before));
    assert_eq!(sites::revision(&pool).await.unwrap(), revision);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn what_somebody_else_has_changed_is_neither_replaced_nor_deleted(pool: PgPool) {
    let known = created(&pool, &named("a", "30s")).await;
    let (id, expected) = (known.site.id, Some(known.version));
    sites::import(&pool, &[named("a", "60s")], false)
        .await
        .unwrap();
    let theirs = get(&pool, id).await.unwrap();
    let version = theirs.version;
    // Not even by what is there already.
    for config in [named("a", "90s"), named("a", "60s")] {
        let change = sites::replace(&pool, id, &config, expected).await;
        assert_eq!(change.unwrap(), Change::Conflict { version });
    }
    let change = sites::delete(&pool, id, expected).await.unwrap();
    assert_eq!(change, Change::Conflict { version });
    assert_eq!(get(&pool, id).await, Some(theirs));

    let change = sites::delete(&pool, id, Some(version)).await.unwrap();
    assert_eq!(change, Change::Done(()));
    assert_eq!(get(&pool, id).await, None);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn the_name_of_another_site_stays_with_it(pool: PgPool) {
    let a = created(&pool, &named("a", "30s")).await;
    let b = created(&pool, &named("b", "30s")).await;
    let change = sites::replace(&pool, a.site.id, &named("b", "60s"), None).await;
    assert_eq!(change.unwrap(), Change::NameTaken(b.site.id));
    assert_eq!(get(&pool, a.site.id).await, Some(a));
    assert_eq!(get(&pool, b.site.id).await, Some(b));
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_site_that_is_gone_stays_gone(pool: PgPool) {
    let id = created(&pool, &named("a", "30s")).await.site.id;
    for expected in [Change::Done(()), Change::NotFound] {
        assert_eq!(sites::delete(&pool, id, None).await.unwrap(), expected);
    }
    let change = sites::replace(&pool, id, &named("a", "30s"), None).await;
    assert_eq!(change.unwrap(), Change::NotFound);
    assert_eq!(sites::find(&pool, "a").await.unwrap(), None);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn of_two_changes_of_the_same_version_one_is_made(pool: PgPool) {
    let known = created(&pool, &named("a", "30s")).await;
    let (id, expected) = (known.site.id, Some(known.version));
    let (one, two) = (named("a", "60s"), named("a", "90s"));
    let (one, two) = tokio::join!(
        sites::replace(&pool, id, &one, expected),
        sites::replace(&pool, id, &two, expected)
    );
    let now = get(&pool, id).await.unwrap();
    let version = now.version;
    let changes = [one.unwrap(), two.unwrap()];
    assert!(changes.contains(&Change::Done(now)), "{changes:?}");
    assert!(changes.contains(&Change::Conflict { version }));
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn the_version_grows_with_every_change_by_whatever_means_and_with_nothing_else(pool: PgPool) {
    let id = created(&pool, &named("a", "30s")).await.site.id;
    created(&pool, &named("b", "30s")).await;
    for (statement, grows) in [
        ("UPDATE sites SET enabled = FALSE WHERE name = 'a'", true),
        ("UPDATE sites SET enabled = FALSE WHERE name = 'a'", false),
        ("UPDATE sites SET enabled = FALSE WHERE name = 'b'", false),
        ("UPDATE sites SET version = 1, tags = '{x}'", true),
        (
            "INSERT INTO sites OVERRIDING SYSTEM VALUE
            SELECT (jsonb_populate_record(sites, '{\"id\": 99}')).* FROM sites
            ON CONFLICT (name) DO UPDATE SET retries = EXCLUDED.retries + 1",
            true,
        ),
    ] {
        let before = get(&pool, id).await.unwrap().version;
        execute(&pool, statement).await;
        let after = get(&pool, id).await.unwrap().version;
        assert_eq!(after > before, grows, "{statement}");
        assert!(after >= before, "{statement}");
    }
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_row_that_is_not_a_valid_site_can_be_put_right_or_deleted(pool: PgPool) {
    let ids = [
        created(&pool, &named("a", "30s")).await.site.id,
        created(&pool, &named("b", "30s")).await.site.id,
    ];
    execute(&pool, "UPDATE sites SET expect_status = 'fine'").await;
    for id in ids {
        let invalid = sites::get(&pool, id).await.unwrap().unwrap().unwrap_err();
        assert_eq!(invalid.id, id);
    }
    let config = named("a", "30s");
    let change = sites::replace(&pool, ids[0], &config, None).await.unwrap();
    assert_eq!(change, Change::Done(get(&pool, ids[0]).await.unwrap()));
    let change = sites::delete(&pool, ids[1], None).await.unwrap();
    assert_eq!(change, Change::Done(()));
}

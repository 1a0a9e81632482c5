//! Which certificates end soon.

use monitor_core::Outcome;
use monitor_core::event::TlsFacts;
use monitor_store::{MetricDataProvider, sites};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::sample::{days, event, instant, site, slot};
use crate::stored::store;

/// A site with this configuration besides its name, whose certificate ends after so many days, as
/// seen from two regions.
async fn add(pool: &PgPool, name: &str, configuration: Value, ends: i64) {
    let mut config = json!({"name": name, "url": "https://x"});
    let fields = config.as_object_mut().unwrap();
    fields.extend(configuration.as_object().unwrap().clone());
    let id = sites::add(pool, &site(&config)).await.unwrap();
    let seen = |region| {
        let mut event = event(&slot(id.0, region, instant(0)), Outcome::Up);
        event.tls = Some(TlsFacts {
            not_after: Some(instant(0) + days(ends)),
            ..TlsFacts::default()
        });
        event
    };
    let mut connection = pool.acquire().await.unwrap();
    store(&mut connection, &[seen("eu"), seen("us")], None)
        .await
        .unwrap();
}

async fn ending(pool: &PgPool, within: i64, limit: u32) -> Vec<String> {
    let provider = MetricDataProvider::new(pool.clone());
    let ending = provider.certificates_ending(instant(0) + days(within), limit);
    let shown = |end: &monitor_core::metric::CertificateEnd| {
        assert_eq!(end.seen_at, instant(0));
        let left = (end.not_after - instant(0)).num_days();
        format!("{} {} {left}", end.name, end.region)
    };
    ending.await.unwrap().iter().map(shown).collect()
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn they_are_told_soonest_first(pool: PgPool) {
    for (name, ends) in [("later", 20), ("soon", 3), ("over", -1), ("last", 90)] {
        add(&pool, name, json!({}), ends).await;
    }
    let all = [
        "over eu -1",
        "over us -1",
        "soon eu 3",
        "soon us 3",
        "later eu 20",
        "later us 20",
    ];
    assert_eq!(ending(&pool, 21, 100).await, all);
    assert_eq!(ending(&pool, 21, 3).await, all[..3]);
    assert_eq!(ending(&pool, 20, 100).await, all[..4]);
    assert_eq!(ending(&pool, 21, 0).await, all[..1]);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn those_of_sites_that_nobody_checks_are_not(pool: PgPool) {
    add(&pool, "disabled", json!({"enabled": false}), 3).await;
    add(&pool, "from eu", json!({"regions": ["eu"]}), 4).await;
    add(&pool, "removed", json!({}), 5).await;
    sites::remove(&pool, "removed").await.unwrap();
    assert_eq!(ending(&pool, 9, 100).await, ["from eu eu 4"]);
}

//! Sites as rows, and lists of sites made the monitored ones.

use std::collections::BTreeSet;

use monitor_core::site::FIELDS;
use monitor_core::{Site, SiteConfig};
use monitor_store::sites::{Change, ChangedSite};
use monitor_store::{ImportPlan, sites};
use serde_json::json;
use sqlx::PgPool;

use crate::sample::site;

fn named(name: &str, interval: &str) -> SiteConfig {
    site(&json!({"name": name, "url": "https://example.com/", "interval": interval}))
}

/// A site of which no field has its default.
fn full() -> SiteConfig {
    let certificate = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    let key = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";
    site(&json!({
        "name": "O'Brien's \"shop\" \\ ü €", "url": "https://shop.example.com/health?key=%27a,b",
        "method": "post", "headers": {"Zz": "{a,\"b\"}", "Authorization": "Bearer 'x\\y'"},
        "body": "{\"ping\": [null, \"\\u00fc\"]}\r\n", "interval": "1h 1ms", "timeout": "2s 501ms",
        "expect_status": [200, "300-399"], "content_regex": "(?i)^\\s*ok\\d+\\\\$",
        "content_regex_absent": "err'or", "expect_headers": {"zz": "^a{2,3}$", "content-type": "j"},
        "expect_json": ["$.status", "$['a,b'][\"c\"]", "$[?@.x == 'NULL']"],
        "max_response_time": "800ms", "redirects": 0, "ip_family": "v6", "http_version": 2,
        "tls_verify": false, "tls_ca": certificate, "tls_client_cert": format!("{certificate}{key}"),
        "cert_expiry_warning": "45days", "body_limit": "16MiB", "retries": 2,
        "regions": ["eu-north-1", "ap"], "enabled": false, "tags": ["a,b", "NULL", "{}", "\"q\""],
    }))
}

async fn load(pool: &PgPool) -> Vec<Site> {
    let sites = sites::load(pool).await.unwrap();
    sites.into_iter().map(Result::unwrap).collect()
}

async fn execute(pool: &PgPool, statement: &'static str) {
    sqlx::query(statement).execute(pool).await.unwrap();
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn every_field_survives_the_way_into_the_table_and_back(pool: PgPool) {
    let full = full();
    assert!(full.to_json().values().all(|value| !value.is_null()));
    let minimal = site(&json!({"url": "http://[::1]:8080/"}));
    for config in [&full, &minimal] {
        let id = sites::add(&pool, config).await.unwrap();
        let loaded = load(&pool).await.into_iter().find(|site| site.id == id);
        assert_eq!(&loaded.unwrap().config, config);
    }
    // What is loaded is the same as what was imported, so that an import knows it again.
    let both = [full, minimal];
    let plan = sites::plan_import(&pool, &both, true).await.unwrap();
    assert_eq!((plan.unchanged.len(), plan.changed.len()), (2, 0));
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn the_columns_are_the_fields_of_a_site_file(pool: PgPool) {
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT attname::TEXT FROM pg_attribute WHERE attrelid = 'sites'::regclass AND attnum > 0",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let of_the_row = ["id", "created_at", "updated_at", "version"];
    let expected: BTreeSet<&str> = FIELDS.iter().copied().chain(of_the_row).collect();
    assert_eq!(
        columns.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        expected
    );
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_column_of_a_later_version_disturbs_nobody(pool: PgPool) {
    execute(
        &pool,
        "ALTER TABLE sites ADD COLUMN later TEXT NOT NULL DEFAULT 'x'",
    )
    .await;
    let id = sites::add(&pool, &full()).await.unwrap();
    assert_eq!(load(&pool).await, [Site { id, config: full() }]);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn an_invalid_row_is_reported_and_hides_no_neighbour(pool: PgPool) {
    let configs = [named("a", "30s"), named("b", "30s"), named("c", "30s")];
    sites::import(&pool, &configs, false).await.unwrap();
    execute(
        &pool,
        "UPDATE sites SET timeout = '-1 second', expect_status = 'fine' WHERE name = 'b'",
    )
    .await;
    let loaded = sites::load(&pool).await.unwrap();
    assert_eq!(loaded.iter().filter(|site| site.is_ok()).count(), 2);
    let invalid = loaded.into_iter().find_map(Result::err).unwrap();
    assert_eq!(sites::find(&pool, "b").await.unwrap(), Some(invalid.id));
    let wrong: Vec<_> = invalid.problems.iter().map(|p| p.field.as_str()).collect();
    let fields = ["timeout", "expect_status"];
    assert_eq!(wrong, fields);
    assert!(invalid.to_string().contains("\"b\""), "{invalid}");

    // An import repairs it, under the same id.
    let plan = sites::import(&pool, &configs, false).await.unwrap();
    let [changed] = &plan.changed[..] else {
        panic!("{plan:?}");
    };
    assert_eq!(
        (&*changed.name, &changed.fields[..]),
        ("b", &fields.map(str::to_owned)[..])
    );
    assert!(load(&pool).await.iter().any(|site| site.id == invalid.id));
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn an_import_does_what_was_planned_and_the_same_one_again_does_nothing(pool: PgPool) {
    let first = [named("a", "30s"), named("b", "30s"), named("c", "30s")];
    let plan = sites::import(&pool, &first, false).await.unwrap();
    assert_eq!(plan.added, ["a", "b", "c"]);
    let before = load(&pool).await;

    let second = [named("d", "30s"), named("b", "60s"), named("a", "30s")];
    let planned = sites::plan_import(&pool, &second, true).await.unwrap();
    assert_eq!(load(&pool).await, before);
    let done = sites::import(&pool, &second, true).await.unwrap();
    assert_eq!(planned, done);
    let names = |names: &[&str]| -> Vec<_> { names.iter().map(ToString::to_string).collect() };
    let changed = |name: &str, fields: &[&str]| ChangedSite {
        name: name.to_owned(),
        fields: names(fields),
    };
    let expected = ImportPlan {
        revision: done.revision,
        added: names(&["d"]),
        changed: vec![changed("b", &["interval"])],
        unchanged: names(&["a"]),
        removed: names(&["c"]),
    };
    assert_eq!(done, expected);

    let after = load(&pool).await;
    assert_eq!((after[0].id, after[1].id), (before[0].id, before[1].id));
    assert_eq!(
        after
            .iter()
            .map(|s| s.config.name.as_str())
            .collect::<Vec<_>>(),
        ["a", "b", "d"]
    );

    let revision = sites::revision(&pool).await.unwrap();
    let again = sites::import(&pool, &second, true).await.unwrap();
    assert_eq!(again.unchanged.len(), 3);
    assert_eq!(sites::revision(&pool).await.unwrap(), revision);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn without_prune_nothing_is_removed(pool: PgPool) {
    sites::add(&pool, &named("a", "30s")).await.unwrap();
    let plan = sites::import(&pool, &[named("b", "30s")], false)
        .await
        .unwrap();
    assert!(plan.removed.is_empty());
    assert_eq!(load(&pool).await.len(), 2);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn an_import_is_refused_when_sites_were_changed_since_it_was_planned(pool: PgPool) {
    sites::add(&pool, &named("a", "30s")).await.unwrap();
    let list = [named("a", "60s"), named("b", "30s")];
    let planned = sites::plan_import(&pool, &list, true).await.unwrap();
    sites::add(&pool, &named("c", "30s")).await.unwrap();
    let before = load(&pool).await;
    let expected = Some(planned.revision);
    let refused = sites::import_if_unchanged(&pool, &list, true, expected).await;
    let version = sites::revision(&pool).await.unwrap();
    assert_eq!(refused.unwrap(), Change::Conflict { version });
    assert_eq!(load(&pool).await, before);

    let planned = sites::plan_import(&pool, &list, true).await.unwrap();
    let expected = Some(planned.revision);
    let done = sites::import_if_unchanged(&pool, &list, true, expected).await;
    assert_eq!(done.unwrap(), Change::Done(planned));
    assert_eq!(load(&pool).await.len(), 2);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn two_imports_at_once_come_one_after_the_other(pool: PgPool) {
    let list = |interval| [named("a", interval), named("b", interval)];
    let (fast, slow) = (list("30s"), list("60s"));
    let (one, two) = tokio::join!(
        sites::import(&pool, &fast, true),
        sites::import(&pool, &slow, true)
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.added.len() + two.added.len(), 2);
    assert_eq!(one.changed.len() + two.changed.len(), 2);
    let loaded = load(&pool).await;
    assert_eq!(loaded.len(), 2);
    assert_eq!(loaded[0].config.interval, loaded[1].config.interval);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_name_is_added_once_and_can_be_removed(pool: PgPool) {
    let id = sites::add(&pool, &named("a", "30s")).await.unwrap();
    let error = sites::add(&pool, &named("a", "60s")).await.unwrap_err();
    assert!(
        error.to_string().contains("already a site \"a\""),
        "{error}"
    );
    assert_eq!(load(&pool).await[0].config, named("a", "30s"));

    assert_eq!(sites::remove(&pool, "a").await.unwrap(), Some(id));
    assert_eq!(sites::remove(&pool, "a").await.unwrap(), None);
    assert_eq!(sites::find(&pool, "a").await.unwrap(), None);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn the_revision_grows_with_every_change_by_whatever_means(pool: PgPool) {
    let mut revision = sites::revision(&pool).await.unwrap();
    for change in [
        "INSERT INTO sites (
            name, url, method, headers, interval, timeout, expect_status, expect_headers,
            expect_json, redirects, ip_family, http_version, tls_verify, cert_expiry_warning,
            body_limit, retries, regions, enabled, tags
        ) VALUES (
            'a', 'http://h/', 'GET', '{}', '1 minute', '10 seconds', '200', '{}',
            '{}', 0, 'any', 'auto', TRUE, '14 days', 1024, 0, '{}', TRUE, '{}'
        )",
        "UPDATE sites SET enabled = FALSE",
        "DELETE FROM sites",
        "TRUNCATE sites",
    ] {
        execute(&pool, change).await;
        let now = sites::revision(&pool).await.unwrap();
        assert!(now > revision, "{change}");
        revision = now;
    }
    load(&pool).await;
    assert_eq!(sites::revision(&pool).await.unwrap(), revision);
}

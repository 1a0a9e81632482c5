//! What an older schema holds is still there after a migration.

use monitor_store::{MIGRATOR, PgConnection, migrate};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, PgPool};

async fn execute(connection: &mut PgConnection, statement: &'static str) {
    sqlx::raw_sql(statement).execute(connection).await.unwrap();
}

async fn text(connection: &mut PgConnection, query: &'static str) -> Vec<String> {
    sqlx::query_scalar(query)
        .fetch_all(connection)
        .await
        .unwrap()
}

/// Brings an empty database to an older version.
async fn migrate_to(connection: &mut PgConnection, version: i64) {
    let older = MIGRATOR.iter().filter(|older| older.version <= version);
    let older = Migrator::with_migrations(older.cloned().collect());
    older.run(connection).await.unwrap();
}

const CHECKS: &str = "SELECT to_jsonb(checks)::TEXT FROM checks ORDER BY 1";

#[sqlx::test(migrations = false)]
async fn checks_keep_what_they_say_and_get_what_follows_from_it(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    migrate_to(&mut connection, 3).await;
    execute(
        &mut connection,
        "SELECT create_checks_partition('2026-01-05'), create_checks_partition('2026-01-06');
        INSERT INTO checks (site_id, scheduled_at, started_at, outcome, content, attempts, region,
            checker, failure_kind, failure_phase, warnings, total_us, status_code, evidence)
        VALUES
            (1, '2026-01-05 10:00Z', '2026-01-05 10:00:00.003Z', 'down', 'unmatched', 1, 'eu',
                'c1', 'content_unmatched', 'assertion', NULL, 70, 200, '{\"http\": null}'),
            (1, '2026-01-05 10:01Z', '2026-01-05 10:01:59.999Z', 'degraded', 'matched', 2, 'eu',
                'c2', NULL, NULL, '{slow_response}', 2147483647, 200, NULL),
            (1, '2026-01-06 10:00Z', '2026-01-06 10:00Z', 'up', 'matched', 1, 'eu', 'c1', NULL,
                NULL, NULL, 5, 204, NULL),
            (1, '2026-01-06 10:01Z', NULL, 'missed', 'not_checked', 0, 'eu', 'c1', 'overloaded',
                NULL, NULL, NULL, NULL, NULL),
            (2, '2026-01-06 10:01Z', NULL, 'missed', 'not_checked', 0, 'us', 'c1', 'overloaded',
                NULL, NULL, NULL, NULL, NULL)",
    )
    .await;
    let before = text(&mut connection, CHECKS).await;
    assert_eq!(before.len(), 5);

    migrate(&mut connection).await.unwrap();
    assert_eq!(text(&mut connection, CHECKS).await, before);
    let states = text(
        &mut connection,
        "SELECT concat_ws(' ', site_id, region, outcome, last_verdict,
            to_char(since AT TIME ZONE 'UTC', 'DD HH24:MI'))
        FROM current_state ORDER BY 1",
    );
    assert_eq!(states.await, ["1 eu missed up 05 10:01", "2 us missed"]);
    let marks = text(
        &mut connection,
        "SELECT concat_ws(' ', site_id, name, to_char(hour AT TIME ZONE 'UTC', 'DD HH24:MI'))
        FROM dirty_hours JOIN regions ON id = region_id ORDER BY 1",
    );
    assert_eq!(
        marks.await,
        ["1 eu 05 10:00", "1 eu 06 10:00", "2 us 06 10:00"]
    );
}

/// All columns but those of histograms.
const ROLLUPS: &str = "SELECT bucket_of || (said - packed)::TEXT FROM (
    SELECT 'hour ' AS bucket_of, to_jsonb(rollup_hours) AS said FROM rollup_hours
    UNION ALL SELECT 'day ', to_jsonb(rollup_days) FROM rollup_days
) AS rollups, (
    SELECT array_agg(attname::TEXT) AS packed FROM pg_attribute
    WHERE attrelid = 'rollup_hours'::regclass AND attname ~ '_(histogram|buckets|bucket_counts)$'
) AS names ORDER BY 1";

#[sqlx::test(migrations = false)]
async fn rollups_keep_what_they_say(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    migrate_to(&mut connection, 5).await;
    execute(
        &mut connection,
        r#"INSERT INTO rollup_hours
        SELECT (jsonb_populate_record(NULL::rollup_hours, zeros || '{
            "site_id": 7, "hour": "2026-01-05T10:00Z", "region_id": 1, "up": 70003,
            "total_sum_us": 9000000000, "total_count": 70003, "total_min_us": 0,
            "total_max_us": 2000000000, "status_codes": [200], "status_counts": [70003],
            "total_buckets": [-1, 0, 100, 440], "total_bucket_counts": [1, 32767, 37234, 1]
        }')).*
        FROM (
            SELECT jsonb_object_agg(
                attname, CASE WHEN atttypid::REGTYPE::TEXT LIKE '%[]' THEN '[]' ELSE '0' END::JSONB
            ) AS zeros
            FROM pg_attribute
            WHERE attrelid = 'rollup_hours'::regclass AND attnum > 0
                AND attname !~ '_(min|max)_us$'
        ) AS of_all;
        INSERT INTO rollup_days
        SELECT (jsonb_populate_record(NULL::rollup_days, to_jsonb(rollup_hours)
            || '{"day": "2026-01-05"}')).*
        FROM rollup_hours"#,
    )
    .await;
    let before = text(&mut connection, ROLLUPS).await;
    assert_eq!(before.len(), 2);

    migrate(&mut connection).await.unwrap();
    assert_eq!(text(&mut connection, ROLLUPS).await, before);
    for table in ["rollup_hours", "rollup_days"] {
        let query = format!(
            "SELECT concat_ws(' ', bucket, sum(count), length(dns_histogram))
            FROM {table}, histogram_entries(total_histogram)
            GROUP BY bucket, dns_histogram ORDER BY bucket"
        );
        let entries: Vec<String> = sqlx::query_scalar(AssertSqlSafe(query))
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        assert_eq!(entries, ["-1 1 0", "0 32767 0", "100 37234 0", "440 1 0"]);
    }
}

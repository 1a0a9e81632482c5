//! What an older schema holds is still there after a migration.

use monitor_store::{MIGRATOR, PgConnection, migrate};
use sqlx::PgPool;
use sqlx::migrate::Migrator;

async fn execute(connection: &mut PgConnection, statement: &'static str) {
    sqlx::raw_sql(statement).execute(connection).await.unwrap();
}

async fn text(connection: &mut PgConnection, query: &'static str) -> Vec<String> {
    sqlx::query_scalar(query)
        .fetch_all(connection)
        .await
        .unwrap()
}

const CHECKS: &str = "SELECT to_jsonb(checks)::TEXT FROM checks ORDER BY 1";

#[sqlx::test(migrations = false)]
async fn checks_keep_what_they_say_and_get_what_follows_from_it(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let older = MIGRATOR.iter().filter(|migration| migration.version <= 3);
    let older = Migrator::with_migrations(older.cloned().collect());
    older.run(&mut *connection).await.unwrap();
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

//! The version of the schema.

use monitor_store::schema::{SchemaError, check};
use monitor_store::{MIGRATOR, migrate};
use sqlx::PgPool;

fn known() -> i64 {
    MIGRATOR.iter().map(|m| m.version).max().unwrap()
}

async fn execute(pool: &PgPool, statement: &'static str) {
    sqlx::query(statement).execute(pool).await.unwrap();
}

#[sqlx::test(migrations = false)]
async fn the_first_migration_applies_everything_and_the_second_nothing(pool: PgPool) {
    let error = check(&pool).await.unwrap_err();
    assert!(matches!(error, SchemaError::NotMigrated), "{error}");
    assert!(error.to_string().contains("admin migrate"), "{error}");

    let mut connection = pool.acquire().await.unwrap();
    let first = migrate(&mut connection).await.unwrap();
    assert_eq!((first.from, first.to), (0, known()));
    assert_eq!(first.applied.len(), MIGRATOR.iter().count());
    assert_eq!(first.applied[0], "0001 create sites");
    check(&pool).await.unwrap();

    let second = migrate(&mut connection).await.unwrap();
    assert_eq!((second.from, second.to), (known(), known()));
    assert!(second.applied.is_empty(), "{second:?}");
}

#[sqlx::test(migrations = false)]
async fn of_two_migrations_at_once_one_applies_and_one_waits(pool: PgPool) {
    let (mut one, mut two) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
    let (one, two) = tokio::join!(migrate(&mut one), migrate(&mut two));
    let applied = [one.unwrap(), two.unwrap()].map(|report| report.applied.len());
    assert_eq!(applied.iter().sum::<usize>(), MIGRATOR.iter().count());
    assert!(applied.contains(&0), "{applied:?}");
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn an_older_database_is_to_be_migrated(pool: PgPool) {
    execute(
        &pool,
        "DELETE FROM _sqlx_migrations
        WHERE version = (SELECT max(version) FROM _sqlx_migrations)",
    )
    .await;
    let error = check(&pool).await.unwrap_err();
    assert!(
        matches!(error, SchemaError::Behind { binary, .. } if binary == known()),
        "{error}"
    );
    assert!(error.to_string().contains("admin migrate"), "{error}");
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_newer_database_is_left_alone(pool: PgPool) {
    execute(
        &pool,
        "INSERT INTO _sqlx_migrations
            (version, description, success, checksum, execution_time)
        VALUES (9999, 'from the future', TRUE, '', 0)",
    )
    .await;
    let mut connection = pool.acquire().await.unwrap();
    for error in [
        check(&pool).await.unwrap_err(),
        migrate(&mut connection).await.unwrap_err(),
    ] {
        assert!(
            matches!(error, SchemaError::Newer { database: 9999, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("upgrade"), "{error}");
    }
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_migration_that_was_edited_is_named(pool: PgPool) {
    execute(
        &pool,
        "UPDATE _sqlx_migrations SET checksum = 'other' WHERE version = 1",
    )
    .await;
    let mut connection = pool.acquire().await.unwrap();
    let error = migrate(&mut connection).await.unwrap_err();
    assert!(matches!(error, SchemaError::Changed(1)), "{error}");
    // The failure has not kept the lock: the next one need not wait.
    let mut other = pool.acquire().await.unwrap();
    let free = "SELECT NOT EXISTS (
                    SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
                    WHERE locktype = 'advisory' AND datname = current_database()
                )";
    let free: bool = sqlx::query_scalar(free)
        .fetch_one(&mut *other)
        .await
        .unwrap();
    assert!(free);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_half_applied_migration_is_named(pool: PgPool) {
    execute(
        &pool,
        "UPDATE _sqlx_migrations SET success = FALSE
        WHERE version = (SELECT max(version) FROM _sqlx_migrations)",
    )
    .await;
    let mut connection = pool.acquire().await.unwrap();
    let error = migrate(&mut connection).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&format!("migration {} is partially applied", known())),
        "{error}"
    );
    assert!(check(&pool).await.is_err());
}

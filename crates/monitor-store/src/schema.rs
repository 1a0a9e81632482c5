//! The version of the schema: brought up by [`migrate`], made sure of by [`check`].

use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::migrate::{Migrate as _, MigrateError, Migrator};
use sqlx::{Executor, PgConnection, Postgres};

use crate::error::StoreError;

/// The migrations that this program knows.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

/// Longest wait for another migration that is under way, or for a lock that one step needs.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a migration did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationReport {
    /// Version of the schema before; 0 when there was none.
    pub from: i64,
    /// Version of the schema now.
    pub to: i64,
    /// The migrations that were applied, in order, as `version description`.
    pub applied: Vec<String>,
}

/// Why the schema cannot be used, or not be brought up.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// There is no schema of ours.
    #[error("the database has not been migrated: run `admin migrate`")]
    NotMigrated,
    /// Migrations are missing.
    #[error(
        "the database has schema version {database}, this program needs {binary}: run `admin migrate`"
    )]
    Behind {
        /// Version of the database.
        database: i64,
        /// Version of this program.
        binary: i64,
    },
    /// The database was migrated by a later program.
    #[error(
        "the database has schema version {database}, this program knows only up to {binary}: \
         upgrade this program"
    )]
    Newer {
        /// Version of the database.
        database: i64,
        /// Version of this program.
        binary: i64,
    },
    /// A migration that was applied is not the one that this program knows.
    #[error(
        "migration {0} was changed after it was applied: restore its file, add a new migration"
    )]
    Changed(i64),
    /// Somebody else holds a lock that is needed.
    #[error(
        "cannot migrate: another migration is running, or something else has locked the tables: \
         wait for it to end, then run `admin migrate` again"
    )]
    Locked,
    /// Applying failed.
    #[error("cannot migrate: {0}")]
    Failed(MigrateError),
    /// The database could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn known_version() -> i64 {
    MIGRATOR
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0)
}

/// Applies the migrations that are missing. Safe when several run at once: one applies, the others
/// wait and find nothing to do.
pub async fn migrate(connection: &mut PgConnection) -> Result<MigrationReport, SchemaError> {
    migrate_within(PATIENCE, connection).await
}

async fn migrate_within(
    patience: Duration,
    connection: &mut PgConnection,
) -> Result<MigrationReport, SchemaError> {
    sqlx::query("SELECT set_config('lock_timeout', $1, FALSE)")
        .bind(format!("{}ms", patience.as_millis()))
        .execute(&mut *connection)
        .await
        .map_err(StoreError::doing("cannot set a timeout"))?;
    // Taken here, around both the look and the run, so that the report tells what this run did.
    connection.lock().await.map_err(failed)?;
    let migrated = migrate_locked(connection).await;
    let unlocked = connection.unlock().await;
    let report = migrated?;
    unlocked.map_err(failed)?;
    Ok(report)
}

async fn migrate_locked(connection: &mut PgConnection) -> Result<MigrationReport, SchemaError> {
    let before = versions(&mut *connection).await?;
    refuse_newer(&before)?;
    let mut migrator = Migrator::with_migrations(MIGRATOR.iter().cloned().collect());
    migrator.set_locking(false);
    migrator.run(&mut *connection).await.map_err(failed)?;
    let new = MIGRATOR
        .iter()
        .filter(|migration| !before.contains(&migration.version));
    let applied =
        new.map(|migration| format!("{:04} {}", migration.version, migration.description));
    Ok(MigrationReport {
        from: before.last().copied().unwrap_or(0),
        to: known_version(),
        applied: applied.collect(),
    })
}

fn failed(error: MigrateError) -> SchemaError {
    match error {
        MigrateError::VersionMismatch(version) => SchemaError::Changed(version),
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _)
            if is_lock_timeout(&source) =>
        {
            SchemaError::Locked
        }
        other => SchemaError::Failed(other),
    }
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.as_deref() == Some("55P03")
}

/// Makes sure that the schema is the one that this program knows.
pub async fn check<'c, E>(executor: E) -> Result<(), SchemaError>
where
    E: Executor<'c, Database = Postgres>,
{
    let versions = versions(executor).await?;
    refuse_newer(&versions)?;
    match versions.last() {
        None => Err(SchemaError::NotMigrated),
        Some(&database) if database < known_version() => Err(SchemaError::Behind {
            database,
            binary: known_version(),
        }),
        Some(_) => Ok(()),
    }
}

fn refuse_newer(versions: &[i64]) -> Result<(), SchemaError> {
    match versions.last() {
        Some(&database) if database > known_version() => Err(SchemaError::Newer {
            database,
            binary: known_version(),
        }),
        _ => Ok(()),
    }
}

/// The applied migrations, in order. None where nothing was ever migrated: the table that tells
/// is then not there either. Not checked at compile time, because the table is sqlx's own.
async fn versions<'c, E>(executor: E) -> Result<Vec<i64>, SchemaError>
where
    E: Executor<'c, Database = Postgres>,
{
    let versions = sqlx::query_scalar(
        "-- schema.versions
        SELECT version FROM _sqlx_migrations WHERE success ORDER BY version",
    )
    .fetch_all(executor)
    .await;
    match versions {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P01") => {
            Ok(Vec::new())
        }
        other => Ok(other.map_err(StoreError::doing("cannot read the schema version"))?),
    }
}

#[cfg(test)]
mod tests {
    use sqlx::PgPool;

    use super::*;

    #[sqlx::test(migrations = false)]
    async fn a_migration_that_does_not_end_is_not_waited_for_for_ever(pool: PgPool) {
        let mut other = pool.acquire().await.unwrap();
        other.lock().await.unwrap();
        let mut connection = pool.acquire().await.unwrap();
        let patience = Duration::from_millis(50);
        let error = migrate_within(patience, &mut connection).await.unwrap_err();
        assert!(matches!(error, SchemaError::Locked), "{error}");

        other.unlock().await.unwrap();
        let report = migrate_within(PATIENCE, &mut connection).await.unwrap();
        assert_eq!(report.from, 0);
    }
}

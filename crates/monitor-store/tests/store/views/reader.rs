//! The user who only reads, made as documented.

use sqlx::{Acquire as _, AssertSqlSafe, PgPool};

use super::{README, SQL, blocks};

const MIGRATIONS: &str = include_str!("../../../../../migrations/README.md");

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_reader_reads_what_is_documented_and_no_secrets(pool: PgPool) {
    // A role is of the whole server: it is taken back in the end.
    let mut transaction = pool.begin().await.unwrap();
    let statements = blocks(MIGRATIONS);
    assert_eq!(statements.len(), 1);
    for statement in statements {
        let made = sqlx::raw_sql(AssertSqlSafe(statement));
        made.execute(&mut *transaction).await.unwrap();
    }
    let become_reader = sqlx::raw_sql("SET LOCAL ROLE monitor_reader");
    become_reader.execute(&mut *transaction).await.unwrap();

    for query in blocks(SQL).into_iter().chain(blocks(README)) {
        let query = sqlx::query(AssertSqlSafe(query));
        query.fetch_all(&mut *transaction).await.unwrap();
    }
    for secret in ["headers", "body", "tls_client_cert", "url", "*"] {
        let refused = refused(&mut transaction, format!("SELECT {secret} FROM sites"));
        assert!(refused.await, "{secret} can be read");
    }
    for write in [
        "DELETE FROM check_results",
        "UPDATE sites SET enabled = FALSE",
        "INSERT INTO regions (name) VALUES ('x')",
        "CREATE TABLE mine (id BIGINT)",
    ] {
        assert!(refused(&mut transaction, write.to_owned()).await, "{write}");
    }
    transaction.rollback().await.unwrap();
}

/// Whether a statement is refused for the lack of a right. Changes nothing.
async fn refused(transaction: &mut sqlx::PgTransaction<'_>, statement: String) -> bool {
    let mut attempt = transaction.begin().await.unwrap();
    let done = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *attempt);
    let code = match done.await {
        Ok(_) => None,
        Err(error) => error
            .as_database_error()
            .and_then(|error| error.code().map(std::borrow::Cow::into_owned)),
    };
    attempt.rollback().await.unwrap();
    // insufficient_privilege
    code.as_deref() == Some("42501")
}

//! Transactions of a pool.

use std::io;

use sqlx::{PgPool, Postgres, Transaction};

/// Begins a transaction with this statement, and goes on with that when nobody waits for it any more: sqlx 0.9.0
/// takes a connection for one without a transaction when its `BEGIN` is given up half way, and whoever is given it
/// next is in there. For the same reason the statement is to be one that cannot fail.
#[expect(
    clippy::disallowed_methods,
    reason = "it must outlast the caller, and ends with the answer of the server or its connection"
)]
pub(crate) async fn begin(
    pool: &PgPool,
    statement: &'static str,
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let pool = pool.clone();
    let beginning = tokio::spawn(async move { pool.begin_with(statement).await });
    beginning
        .await
        .unwrap_or_else(|error| Err(sqlx::Error::Io(io::Error::other(error))))
}

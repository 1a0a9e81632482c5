//! What people see in SQL.

mod outages;
mod reader;

use sqlx::{AssertSqlSafe, PgPool};

const SQL: &str = include_str!("../../../../docs/sql.md");
const README: &str = include_str!("../../../../README.md");

/// The blocks of SQL of a document.
fn blocks(text: &'static str) -> Vec<&'static str> {
    let parts = text.split("```").skip(1).step_by(2);
    parts
        .filter_map(|block| block.strip_prefix("sql\n"))
        .collect()
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn the_queries_of_the_documents_run(pool: PgPool) {
    let (sql, readme) = (blocks(SQL), blocks(README));
    assert!(sql.len() >= 6 && readme.len() >= 3);
    for query in sql.into_iter().chain(readme) {
        let query = sqlx::query(AssertSqlSafe(query));
        query.fetch_all(&pool).await.unwrap();
    }
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn the_documents_name_every_column_of_every_view(pool: PgPool) {
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT relname::TEXT, attname::TEXT FROM pg_class
        JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0
        WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(!columns.is_empty());
    for (view, column) in columns {
        for name in [&view, &column] {
            assert!(SQL.contains(&format!("`{name}`")), "no {name} of {view}");
        }
    }
    let silent: Vec<String> = sqlx::query_scalar(
        "SELECT relname::TEXT FROM pg_class
        WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace
            AND obj_description(oid, 'pg_class') IS NULL",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(silent, [""; 0]);
}

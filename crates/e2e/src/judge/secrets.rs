//! No secret leaves the places where it was put.

use anyhow::ensure;

use super::topic::messages;
use crate::world::World;

/// Fails if any of `secrets` is in `texts` (logs and metrics, each with its name), in the topics of
/// this world, or in any table but that of the sites.
pub async fn no_secret(
    world: &World,
    brokers: &str,
    secrets: &[String],
    texts: &[(&str, String)],
) -> anyhow::Result<()> {
    let clean = |place: &str, text: &str| -> anyhow::Result<()> {
        for secret in secrets {
            ensure!(!text.contains(secret), "{secret:?} is in {place}:\n{text}");
        }
        Ok(())
    };
    for (place, text) in texts {
        clean(place, text)?;
    }
    let topic = &world.environment["KAFKA_TOPIC"];
    for topic in [topic.clone(), format!("{topic}.dlq")] {
        for message in messages(brokers, &topic)? {
            clean(&topic, &String::from_utf8_lossy(&message.payload))?;
            clean(&topic, &format!("{:?}", message.headers))?;
        }
    }
    for table in tables(world).await? {
        let query = sqlx::AssertSqlSafe(format!("SELECT t::TEXT FROM {table} AS t"));
        let rows: Vec<Option<String>> =
            sqlx::query_scalar(query).fetch_all(&world.database).await?;
        for row in rows.into_iter().flatten() {
            clean(&table, &row)?;
        }
    }
    Ok(())
}

/// Tables and views that anybody may see. Those of the sites are where their secrets belong.
async fn tables(world: &World) -> anyhow::Result<Vec<String>> {
    let tables = sqlx::query_scalar(
        "SELECT table_name::TEXT FROM information_schema.tables \
         WHERE table_schema = 'public' AND table_name <> 'sites' AND table_name NOT LIKE 'check_results_%'",
    )
    .fetch_all(&world.database)
    .await?;
    Ok(tables)
}

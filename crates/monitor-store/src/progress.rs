//! How far a consumer group has come, recorded with what it has stored.
//!
//! The record is only good for going back. Kafka's committed offset says where to go on; after a
//! failover that lost commits, the record is lost with the rows, and says where they are missing.

use std::collections::HashMap;

use sqlx::PgConnection;

use crate::error::StoreError;

/// How far a batch takes its group: recorded in the transaction that stores it.
///
/// What a record says is that everything before it is stored. So the batches of one partition must
/// be committed in their order; those of different partitions need not.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The consumer group.
    pub group: &'a str,
    /// The topic.
    pub topic: &'a str,
    /// By partition, the offset after the last event of the batch.
    pub next_offsets: &'a HashMap<i32, i64>,
}

/// By partition, the offset before which everything is stored. Partitions of which nothing was ever
/// stored are absent.
pub async fn read(
    connection: &mut PgConnection,
    group: &str,
    topic: &str,
) -> Result<HashMap<i32, i64>, StoreError> {
    let found = sqlx::query!(
        r#"-- progress.read
        SELECT partition, next_offset FROM sink_progress WHERE group_name = $1 AND topic = $2"#,
        group,
        topic
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::doing("cannot read the progress of the sink"))?;
    let offsets = found
        .into_iter()
        .map(|row| (row.partition, row.next_offset));
    Ok(offsets.collect())
}

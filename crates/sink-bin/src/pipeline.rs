//! The loop: fill a batch, settle it, commit its offsets.

use std::time::Duration;

use chrono::Utc;
use metrics::histogram;
use monitor_kafka::{Consumer, Received};
use monitor_runtime::CancellationToken;
use tokio::time::{Instant, timeout_at};

use crate::batch::Batch;
use crate::config::SinkSettings;
use crate::settle::Settler;

/// Reads, settles and commits until `stop`, or until the consumer has nothing more.
pub(crate) async fn run(
    mut consumer: Consumer,
    settler: Settler,
    settings: &SinkSettings,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let limits = Limits {
        events: settings.batch_max_events,
        chunk: settings.chunk_size(),
        wait: settings.batch_max_wait,
    };
    while let Some(Some(messages)) = stop.run_until_cancelled(fill(&mut consumer, limits)).await {
        let (count, started) = (messages.len(), Instant::now());
        if settle(&consumer, &settler, messages).await.is_none() {
            break;
        }
        let elapsed = started.elapsed();
        histogram!("sink_batch_seconds").record(elapsed.as_secs_f64());
        tracing::debug!(
            events = count,
            duration_ms = elapsed.as_secs_f64() * 1e3,
            "batch settled"
        );
    }
    Ok(consumer.close().await?)
}

#[derive(Clone, Copy)]
struct Limits {
    events: usize,
    chunk: usize,
    wait: Duration,
}

/// Messages for one batch: waits for the first as long as it takes, for more only so long. `None`
/// when there will be no more.
async fn fill(consumer: &mut Consumer, limits: Limits) -> Option<Vec<Received>> {
    let mut messages = consumer.next_chunk().await?;
    let until = Instant::now() + limits.wait;
    while messages.len() + limits.chunk <= limits.events {
        match timeout_at(until, consumer.next_chunk()).await {
            Ok(Some(chunk)) => messages.extend(chunk),
            Ok(None) | Err(_) => break,
        }
    }
    Some(messages)
}

/// `None` when asked to stop before the batch was settled.
async fn settle(consumer: &Consumer, settler: &Settler, mut messages: Vec<Received>) -> Option<()> {
    consumer.retain_owned(&mut messages);
    let batch = Batch::read(messages, Utc::now());
    let next_offsets = batch.next_offsets.clone();
    settler.settle(batch).await?;
    if !next_offsets.is_empty() {
        consumer.commit(&next_offsets);
    }
    Some(())
}

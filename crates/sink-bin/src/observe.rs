//! What the sink tells about itself.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use metrics::{counter, gauge, histogram};
use monitor_core::event::KeptEvent;
use monitor_kafka::{Lag, Progress, Rebalances};
use monitor_runtime::CancellationToken;
use monitor_store::Inserted;
use tokio::sync::watch;

use crate::backlog::Waiting;
use crate::batch::Batch;

/// How often the lag is told anew.
const INTERVAL: Duration = Duration::from_secs(1);
/// Events of a batch whose age is looked at: enough for a distribution, and cheap.
const SAMPLES: usize = 20;

/// What a transaction did.
pub(crate) fn stored(inserted: &Inserted) {
    counter!("sink_events_stored_total").increment(inserted.stored);
    counter!("sink_events_duplicate_total").increment(inserted.duplicates);
}

/// A batch was stored.
pub(crate) fn batch(batch: &Batch<'_>, elapsed: Duration) {
    let events = batch.events.len();
    histogram!("sink_batch_seconds").record(elapsed.as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "a number of events is small")]
    histogram!("sink_batch_events").record(events as f64);
    let (now, step) = (Utc::now(), (events / SAMPLES).max(1));
    let ages = histogram!("sink_check_to_row_seconds");
    for event in batch.events.iter().step_by(step) {
        ages.record_many((now - finished_at(event)).as_seconds_f64().max(0.0), step);
    }
    tracing::debug!(
        events,
        letters = batch.letters.len(),
        duration_ms = elapsed.as_secs_f64() * 1e3,
        "batch stored"
    );
}

/// When a check had its result.
fn finished_at(event: &KeptEvent<'_>) -> DateTime<Utc> {
    let took = event.timings_us.total.unwrap_or(0);
    event.started_at.unwrap_or(event.scheduled_at) + TimeDelta::microseconds(i64::from(took))
}

/// Tells the lag and the rebalances of a consumer until `stop`, when it has none any more, and what
/// waits for it in all partitions together.
pub(crate) async fn follow(
    progress: Progress,
    waiting: &watch::Sender<Waiting>,
    stop: CancellationToken,
) {
    let (mut told, mut counted) = (HashSet::new(), Rebalances::default());
    let mut ticks = tokio::time::interval(INTERVAL);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let rebalances = progress.rebalances();
        count(counted, rebalances);
        counted = rebalances;
        let lags = progress.lags();
        waiting.send_replace(total(rebalances, &lags));
        let now = Utc::now().timestamp_millis();
        let ours = lags.iter().map(|lag| lag.partition).collect();
        for lag in &lags {
            set(lag.partition, lag.events.unwrap_or(0), seconds(lag, now));
        }
        // What is another's is not behind here.
        for partition in told.difference(&ours) {
            set(*partition, 0, 0.0);
        }
        told = ours;
    }
    for partition in told {
        set(partition, 0, 0.0);
    }
}

/// What waits in all partitions; not known before there was an assignment, and the end of each.
fn total(rebalances: Rebalances, lags: &[Lag]) -> Waiting {
    let events = lags.iter().map(|lag| lag.events);
    (rebalances.assigned > 0).then(|| events.sum())?
}

/// Another consumer begins to count from zero, so it is the difference that is told.
fn count(before: Rebalances, now: Rebalances) {
    for (kind, more) in [
        ("assigned", now.assigned - before.assigned),
        ("revoked", now.revoked - before.revoked),
        ("lost", now.lost - before.lost),
    ] {
        counter!("sink_rebalances_total", "kind" => kind).increment(more);
    }
}

fn seconds(lag: &Lag, now: i64) -> f64 {
    let waited = lag.since.map_or(0, |since| (now - since).max(0));
    Duration::from_millis(waited.unsigned_abs()).as_secs_f64()
}

fn set(partition: i32, events: i64, seconds: f64) {
    let partition = partition.to_string();
    #[expect(clippy::cast_precision_loss, reason = "exact enough for a lag")]
    gauge!("sink_lag_events", "partition" => partition.clone()).set(events as f64);
    gauge!("sink_lag_seconds", "partition" => partition).set(seconds);
}

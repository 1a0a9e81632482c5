//! What the sink tells about itself.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use metrics::{counter, gauge, histogram};
use monitor_core::event::KeptEvent;
use monitor_kafka::{Lag, Progress};
use monitor_runtime::CancellationToken;
use monitor_store::Inserted;

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

/// Tells the lag and the rebalances until `stop`.
pub(crate) async fn follow(progress: Progress, stop: CancellationToken) {
    let mut told = HashSet::new();
    let mut ticks = tokio::time::interval(INTERVAL);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let rebalances = progress.rebalances();
        for (kind, count) in [
            ("assigned", rebalances.assigned),
            ("revoked", rebalances.revoked),
            ("lost", rebalances.lost),
        ] {
            counter!("sink_rebalances_total", "kind" => kind).absolute(count);
        }
        let lags = progress.lags();
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

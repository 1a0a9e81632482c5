//! The way out for results: turns of the [`Delivery`], as often as they are worth it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use metrics::gauge;
use monitor_kafka::Link;
use monitor_runtime::{Component, Context};
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, sleep_until};

use crate::delivery::{Delivery, LONG_WAIT, Posted};

/// Results that may wait for the next turn: a disk that stalls for seconds delays no check.
pub(crate) const POSTED: usize = 16_384;
/// Least time between two turns: results of this time share one write to the disk.
const PACE: Duration = Duration::from_millis(50);
/// Time until a turn that merely takes note of what has arrived, and how long things wait.
const LOOK: Duration = Duration::from_secs(1);
/// Share of the grace period in which results may still be delivered after the last one has come
/// in. The checks take half of it, and a tenth is left for ending.
const FLUSH_SHARE: f64 = 0.4;
/// The same for a run that is not asked to stop.
const FLUSH: Duration = Duration::from_mins(2);

/// Delivers results through the spool.
pub(crate) struct Outbox {
    delivery: Delivery,
    component: Component,
}

impl Outbox {
    /// `component` tells what keeps results from being delivered.
    pub(crate) fn new(delivery: Delivery, component: Component) -> Self {
        Self {
            delivery,
            component,
        }
    }

    /// How the connection to Kafka is doing.
    pub(crate) fn link(&self) -> watch::Receiver<Link> {
        self.delivery.link()
    }

    /// To be set when the certificates for Kafka have been replaced.
    pub(crate) fn outdated(&self) -> Arc<AtomicBool> {
        self.delivery.outdated()
    }

    /// Delivers everything that comes in until the channel is closed and all of it has arrived. What
    /// Kafka does not take in time then stays in the spool; what is not even there is lost, which is
    /// an error.
    pub(crate) async fn run(
        self,
        mut results: mpsc::Receiver<Posted>,
        context: &Context,
    ) -> anyhow::Result<()> {
        let Self {
            mut delivery,
            component,
        } = self;
        let mut posted = Vec::new();
        let mut closed_at = None;
        let mut wake = Some(Instant::now());
        loop {
            tokio::select! {
                count = results.recv_many(&mut posted, POSTED), if closed_at.is_none() => {
                    if count == 0 {
                        closed_at = Some(Instant::now());
                    }
                }
                () = sleep_until(wake.unwrap_or_else(Instant::now).into()), if wake.is_some() => {}
            }
            let started = Instant::now();
            (delivery, posted) = turn(delivery, posted).await?;
            tell(&delivery, &component);
            if closed_at.is_some_and(|at| is_over(&delivery, at, context)) {
                break;
            }
            wake = next_turn(&delivery, started, closed_at.is_some());
            sleep_until((started + PACE).into()).await;
        }
        close(delivery, context).await
    }
}

async fn turn(
    mut delivery: Delivery,
    mut posted: Vec<Posted>,
) -> anyhow::Result<(Delivery, Vec<Posted>)> {
    let turn = move || {
        delivery.turn(&mut posted);
        (delivery, posted)
    };
    spawn_blocking(turn).await.context("the delivery broke off")
}

/// When a turn is due although nothing has come in.
fn next_turn(delivery: &Delivery, last: Instant, closed: bool) -> Option<Instant> {
    if closed || delivery.can_send() {
        return Some(last);
    }
    let something = delivery.depth().records > 0 || delivery.storage().trouble().is_some();
    something.then(|| last + LOOK)
}

/// Whether everything has arrived, or there is no hope that the rest will.
fn is_over(delivery: &Delivery, closed_at: Instant, context: &Context) -> bool {
    let stopping = context.stop.is_cancelled();
    let patience = if stopping {
        context.grace.mul_f64(FLUSH_SHARE)
    } else {
        FLUSH
    };
    let hopeless = stopping && delivery.link().borrow().trouble().is_some();
    delivery.depth().records == 0 || hopeless || closed_at.elapsed() >= patience
}

fn tell(delivery: &Delivery, component: &Component) {
    let depth = delivery.depth();
    let waits = delivery.waits();
    gauge!("checker_spool_results").set(total(depth.records));
    gauge!("checker_results_in_flight").set(count(delivery.in_flight()));
    gauge!("checker_spool_bytes").set(total(depth.bytes));
    gauge!("checker_spool_oldest_age_seconds").set(waits.as_secs_f64());
    match trouble(delivery, waits) {
        Some(why) => component.not_ready(why),
        None => component.ready(),
    }
}

fn trouble(delivery: &Delivery, waits: Duration) -> Option<String> {
    let results = delivery.depth().records;
    if let Some(why) = delivery.storage().trouble() {
        return Some(format!(
            "{why}: {results} results are not safe from a crash"
        ));
    }
    if let Some(dropped) = delivery.storage().dropped_lately() {
        return Some(format!(
            "the spool is full: {results} results wait, {dropped} older ones were dropped"
        ));
    }
    if let Some(why) = delivery.trouble().filter(|_| results > 0) {
        return Some(format!(
            "Kafka takes no results ({why}): {results} wait in the spool"
        ));
    }
    (waits > LONG_WAIT).then(|| {
        let seconds = waits.as_secs();
        format!("{results} results wait in the spool, the oldest for {seconds} s")
    })
}

/// Says what is left, and lets go of Kafka and the disk.
async fn close(delivery: Delivery, context: &Context) -> anyhow::Result<()> {
    let (left, lost) = (delivery.depth().records, delivery.storage().in_memory());
    let why = delivery.storage().trouble().map(str::to_owned);
    // The client needs a moment to end; not longer than there is.
    let closing = spawn_blocking(move || drop(delivery));
    tokio::select! {
        closed = closing => closed.context("the delivery broke off at its end")?,
        () = sleep(context.grace.mul_f64(0.05)) => {}
    }
    if let Some(why) = why.filter(|_| lost > 0) {
        bail!("{lost} results are lost: they were not delivered, and {why}");
    }
    if left > 0 && !context.stop.is_cancelled() {
        bail!("Kafka did not take {left} results: the next run delivers them from the spool");
    }
    if left > 0 {
        tracing::info!(results = left, "left in the spool for the next start");
    }
    Ok(())
}

/// A number for a gauge: exact far beyond any count that occurs here.
#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
pub(crate) fn count(number: usize) -> f64 {
    number as f64
}

/// The same for a number from the spool.
#[expect(clippy::cast_precision_loss, reason = "gauges are floats")]
pub(crate) fn total(number: u64) -> f64 {
    number as f64
}

//! What one of all sinks does for all of them: partitions, rollups, retention.
//!
//! On a connection of its own, so that it never holds up the storing. Each round asks for the lock;
//! who does not get it tries again in the next. Trouble is told and tried again, and ends nothing.

use std::future::Future;
use std::time::Duration;

use metrics::{counter, gauge, histogram};
use monitor_runtime::{CancellationToken, Component, Context};
use monitor_store::maintenance::{self, Expired, Retention, Status};
use monitor_store::rollups::Count;
use monitor_store::{DatabaseSettings, ErrorClass, PgConnection, StoreError, schema};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::backlog::{Backlog, Waiting};

/// Time between two rounds.
const PAUSE: Duration = Duration::from_secs(30);
/// Time after which a round that waits asks again whether there is still a backlog.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest time for connecting and for short questions.
const DEADLINE: Duration = Duration::from_secs(20);
/// Longest time for a step. To pack or to make an index of a large day takes minutes.
const STEP_DEADLINE: Duration = Duration::from_mins(15);
/// How long indexes are left as they are after one has failed to be packed or made: a reader that takes
/// long, such as a backup, fails it after all the work.
const INDEX_PAUSE: Duration = Duration::from_hours(1);

/// Why a round, or a step of it, was not done.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Schema(#[from] schema::SchemaError),
    #[error("the database did not answer within {} s", .0.as_secs())]
    Deadline(Duration),
}

impl Trouble {
    /// Whether nothing more can be asked through the connection.
    fn is_of_connection(&self) -> bool {
        match self {
            Self::Store(error) => error.class() == ErrorClass::Reconnect,
            Self::Schema(_) | Self::Deadline(_) => true,
        }
    }
}

/// Maintenance as this sink does it.
pub(crate) struct Maintenance {
    database: DatabaseSettings,
    retention: Retention,
    component: Component,
    next_index: Instant,
}

impl Maintenance {
    /// Tells through `component` what is in the way.
    pub(crate) fn new(
        database: DatabaseSettings,
        retention: Retention,
        component: Component,
    ) -> Self {
        component.ready();
        Self {
            database,
            retention,
            component,
            next_index: Instant::now(),
        }
    }

    /// Starts to do a round every half a minute, and at once while there is more to do.
    ///
    /// A round waits while this sink has a backlog: it would add up hours that are still being
    /// filled, and each of them again with every batch.
    pub(crate) fn start(mut self, context: &Context, waiting: watch::Receiver<Waiting>) {
        let stop = context.stop.clone();
        context.spawn("maintenance", async move {
            let mut backlog = Backlog::default();
            let rounds = async {
                loop {
                    while backlog.comes_first(*waiting.borrow(), Instant::now().into_std()) {
                        sleep(PATIENCE).await;
                    }
                    if !self.round().await {
                        sleep(PAUSE).await;
                    }
                }
            };
            // Whatever is interrupted is done again by whoever is next.
            stop.run_until_cancelled(rounds).await;
            Ok(())
        });
    }

    /// Does rounds until there is nothing more to do, or until `stop`.
    pub(crate) async fn once(mut self, stop: &CancellationToken) {
        stop.run_until_cancelled(async { while self.round().await {} })
            .await;
    }

    /// Returns whether there is more to do at once.
    async fn round(&mut self) -> bool {
        let started = Instant::now();
        let done = Box::pin(self.try_round()).await;
        histogram!("sink_maintenance_seconds").record(started.elapsed().as_secs_f64());
        match done {
            Ok(more) => {
                self.component.ready();
                more
            }
            Err(trouble) => {
                counter!("sink_maintenance_errors_total").increment(1);
                tracing::warn!("maintenance is not done: {trouble}");
                self.component.not_ready(trouble.to_string());
                false
            }
        }
    }

    async fn try_round(&mut self) -> Result<bool, Trouble> {
        // A new connection each time: the lock ends with it, whatever happens.
        let mut connection = within(DEADLINE, self.connect()).await?;
        let locked = within(DEADLINE, maintenance::try_lock(&mut connection)).await?;
        gauge!("sink_maintenance_active").set(if locked { 1.0 } else { 0.0 });
        let steps = if locked {
            self.steps(&mut connection).await
        } else {
            Steps::default()
        };
        if let Some(trouble) = steps.trouble {
            return Err(trouble);
        }
        report_status(&within(DEADLINE, maintenance::status(&mut connection)).await?);
        Ok(steps.more)
    }

    /// Every step, also after one that failed, unless the connection is in trouble.
    async fn steps(&mut self, connection: &mut PgConnection) -> Steps {
        let mut steps = Steps::default();
        steps.take(maintenance::make_partitions(connection)).await;
        if let Some(count) = steps.take(maintenance::roll_up(connection)).await {
            report_rollups(&count);
            steps.more |= count.more;
        }
        let expire = maintenance::expire(connection, self.retention);
        if let Some(expired) = steps.take(expire).await {
            report_expired(&expired);
            steps.more |= expired.more;
        }
        if Instant::now() >= self.next_index {
            self.indexes(connection, &mut steps).await;
        }
        steps
    }

    /// What is missing comes first, one day at a time.
    async fn indexes(&mut self, connection: &mut PgConnection, steps: &mut Steps) {
        let indexed = steps.take(maintenance::index_down(connection)).await;
        if let Some(Some(day)) = indexed {
            tracing::info!(%day, "made the index of a day's checks that were down");
            steps.more = true;
            return;
        }
        let packed = steps.take(maintenance::pack(connection)).await;
        if let Some(Some(day)) = packed {
            tracing::info!(%day, "packed the key of a day's checks");
            steps.more = true;
        }
        if indexed.is_none() || packed.is_none() {
            self.next_index = Instant::now() + INDEX_PAUSE;
        }
    }

    async fn connect(&self) -> Result<PgConnection, Trouble> {
        let mut connection = self.database.connect("sink maintenance").await?;
        schema::check(&mut connection).await?;
        Ok(connection)
    }
}

async fn within<T, E>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, Trouble>
where
    Trouble: From<E>,
{
    let done = timeout(limit, work).await;
    Ok(done.map_err(|_| Trouble::Deadline(limit))??)
}

/// What the steps of a round came to.
#[derive(Default)]
struct Steps {
    /// Whether there is more to do than one round does.
    more: bool,
    /// The first trouble of any step.
    trouble: Option<Trouble>,
    /// Whether the connection is of no more use.
    broken: bool,
}

impl Steps {
    async fn take<T>(&mut self, step: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
        if self.broken {
            return None;
        }
        match within(STEP_DEADLINE, step).await {
            Ok(done) => Some(done),
            Err(trouble) => {
                self.broken = trouble.is_of_connection();
                self.trouble.get_or_insert(trouble);
                None
            }
        }
    }
}

fn report_rollups(count: &Count) {
    counter!("sink_rollup_checks_total").increment(count.checks);
    counter!("sink_rollup_rows_total", "period" => "hour").increment(count.hours);
    counter!("sink_rollup_rows_total", "period" => "day").increment(count.days);
    if count.ignored_marks > 0 {
        tracing::warn!(
            hours = count.ignored_marks,
            "checks came after those of their day were dropped: they are not in the rollups"
        );
    }
    if count.hours + count.days > 0 {
        tracing::debug!(
            checks = count.checks,
            hours = count.hours,
            days = count.days,
            corrected = count.marks,
            "rolled up"
        );
    }
}

fn report_expired(expired: &Expired) {
    counter!("sink_partitions_dropped_total").increment(expired.days.len() as u64);
    for day in &expired.days {
        tracing::info!(%day, "dropped a day's checks");
    }
    if expired.rollups > 0 {
        tracing::info!(rows = expired.rollups, "deleted old rollups");
    }
}

/// Every sink tells how things stand, whoever does the work.
#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float, and these are far below 2^53"
)]
fn report_status(status: &Status) {
    gauge!("sink_dirty_hours").set(status.marks as f64);
    if let Some(closed_to) = status.hours_closed_to {
        let age = (status.now - closed_to).num_milliseconds();
        gauge!("sink_rollup_age_seconds").set(age as f64 / 1e3);
    }
}

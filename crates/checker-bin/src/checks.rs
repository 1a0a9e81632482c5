//! Running checks: what is due is started as soon as there is room, and told as missed when there
//! was none in its time.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use metrics::gauge;
use monitor_core::{CheckEvent, Failure, FailureKind, Region, Slot};
use monitor_probe::Prober;
use monitor_runtime::{Component, Context};
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout_at};

use crate::backlog::Backlog;
use crate::compact::CompactSite;
use crate::delivery::Posted;
use crate::in_flight::{Ended, InFlight, Started};
use crate::maker::Maker;
use crate::meters::Meters;
use crate::outbox::count;
use crate::parcel;
use crate::schedule::{DueNow, Schedule};
use crate::suspicion::Suspicion;

/// Longest sleep between two looks at the wall clock, which may be set while we sleep.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// How often it is told how far the checks have come while there are results, and while there are
/// none.
const WATERMARK: (TimeDelta, TimeDelta) = (TimeDelta::seconds(1), TimeDelta::seconds(10));

/// Most checks that start in one go. Those that run, and whoever asks how the checker is, get their
/// turn before the next ones: else a burst would only start checks, and all of them would be late.
const STARTS: usize = 256;

const OVERLOADED: &str = "the next slot came due before this one could start";
const ASLEEP: &str = "the slot went by while the checker was suspended or its clock was set";
const NOT_RUNNING: &str = "no checker was running";
const STOPPING: &str = "the checker was stopped before this slot could start";
const CUT_SHORT: &str = "the checker was stopped before this check had ended";
const PANICKED: &str = "the check broke off through a bug in the checker: see its log";

/// What checks are made with, and how many at the same time.
pub(crate) struct ChecksSettings {
    /// Makes the checks.
    pub(crate) prober: Prober,
    /// Name of this checker in its results.
    pub(crate) checker: String,
    /// Where it checks from.
    pub(crate) region: Region,
    /// Most checks at the same time.
    pub(crate) max_in_flight: usize,
    /// Most of them of one host.
    pub(crate) max_per_host: usize,
}

/// The running checks of one checker.
pub(crate) struct Checks {
    maker: Arc<Maker>,
    meters: Meters,
    schedule: Schedule,
    backlog: Backlog,
    in_flight: InFlight,
    max_in_flight: usize,
    suspicion: Suspicion,
    /// The suspicion as it was last told.
    told: Option<DateTime<Utc>>,
    results: mpsc::Sender<Posted>,
    /// When it was last told how far the checks have come, and whether there were results since.
    watermark_at: DateTime<Utc>,
    has_results: bool,
}

/// What a checker that runs for ever has beside its checks.
pub(crate) struct Surroundings {
    /// The sites, anew whenever they change.
    pub(crate) sites: mpsc::Receiver<Vec<CompactSite>>,
    /// How far the last run has come, if that is known.
    pub(crate) last_reached: Option<DateTime<Utc>>,
    /// Told when the results say that our own network is broken.
    pub(crate) network: Component,
}

impl Checks {
    /// No check is running yet. Every result goes into `results`.
    pub(crate) fn new(settings: ChecksSettings, results: mpsc::Sender<Posted>) -> Self {
        Self {
            maker: Arc::new(Maker::new(settings.prober, settings.checker)),
            meters: Meters::register(),
            schedule: Schedule::new(settings.region),
            backlog: Backlog::new(settings.max_per_host),
            in_flight: InFlight::default(),
            max_in_flight: settings.max_in_flight,
            suspicion: Suspicion::default(),
            told: None,
            results,
            watermark_at: DateTime::UNIX_EPOCH,
            has_results: false,
        }
    }

    /// Checks every site in its slots until the service is to stop.
    pub(crate) async fn run(
        mut self,
        mut surroundings: Surroundings,
        context: &Context,
    ) -> anyhow::Result<()> {
        surroundings.network.ready();
        let mut since = surroundings.last_reached;
        while !context.stop.is_cancelled() {
            let starts_more = self.start_what_fits();
            let next_due = self.until_next_due();
            tokio::select! {
                () = context.stop.cancelled() => {}
                () = yield_now(), if starts_more => {}
                Some(sites) = surroundings.sites.recv() => self.replace_sites(sites, since.take()).await?,
                Some(ended) = self.in_flight.next() => self.settle_all(ended).await?,
                () = sleep(next_due) => {}
            }
            let due = self.schedule.take_due(Utc::now());
            self.enqueue(due, ASLEEP).await?;
            self.tell(&surroundings.network);
            // Before the sites are known, nothing has been dealt with.
            if since.is_none() {
                self.tell_reached().await?;
            }
        }
        self.wind_down(context.grace).await?;
        let reached = since.unwrap_or_else(Utc::now);
        Ok(self.results.send(Posted::Reached(reached)).await?)
    }

    /// Checks every site one time, for its current slot.
    pub(crate) async fn run_once(
        mut self,
        sites: Vec<CompactSite>,
        context: &Context,
    ) -> anyhow::Result<()> {
        self.replace_sites(sites, None).await?;
        for due in self.schedule.current(Utc::now()) {
            self.backlog.push(due);
        }
        let mut starts_more = self.start_what_fits();
        while self.in_flight.len() > 0 && !context.stop.is_cancelled() {
            tokio::select! {
                () = context.stop.cancelled() => {}
                () = yield_now(), if starts_more => {}
                Some(ended) = self.in_flight.next() => self.settle_all(ended).await?,
            }
            starts_more = self.start_what_fits();
        }
        self.wind_down(context.grace).await
    }

    /// Gives the running checks half of the grace period to end: the other half is for delivering
    /// the results. Whatever has no result then is told as missed.
    async fn wind_down(&mut self, grace: Duration) -> anyhow::Result<()> {
        for slot in self.backlog.drain() {
            self.miss(slot, FailureKind::NotRunning, STOPPING).await?;
        }
        let deadline = Instant::now() + grace / 2;
        while let Ok(Some(ended)) = timeout_at(deadline, self.in_flight.next()).await {
            self.settle(ended).await?;
        }
        for slot in self.in_flight.abort().await {
            self.miss(slot, FailureKind::NotRunning, CUT_SHORT).await?;
        }
        Ok(())
    }

    /// What has come due of the sites as they were is taken first: a change loses no slot. With
    /// `since`, the slots after it that nobody has checked are told as missed.
    async fn replace_sites(
        &mut self,
        sites: Vec<CompactSite>,
        since: Option<DateTime<Utc>>,
    ) -> anyhow::Result<()> {
        let now = Utc::now();
        if self.schedule.len() > 0 {
            let due = self.schedule.take_due(now);
            self.enqueue(due, ASLEEP).await?;
        }
        self.schedule.replace(sites, since.unwrap_or(now).min(now));
        self.suspicion.retain(|id| self.schedule.contains(id));
        gauge!("checker_sites").set(count(self.schedule.len()));
        tracing::info!(sites = self.schedule.len(), "sites to check");
        let due = self.schedule.take_due(now);
        self.enqueue(due, NOT_RUNNING).await
    }

    fn until_next_due(&self) -> Duration {
        let wait = self
            .schedule
            .next_due()
            .map(|due| (due - Utc::now()).to_std());
        wait.map_or(LONGEST_SLEEP, Result::unwrap_or_default)
            .min(LONGEST_SLEEP)
    }

    async fn enqueue(&mut self, due: DueNow, why_missed: &str) -> anyhow::Result<()> {
        for slot in due.missed {
            self.miss(slot, FailureKind::NotRunning, why_missed).await?;
        }
        for due in due.checks {
            if let Some(displaced) = self.backlog.push(due) {
                self.miss(displaced, FailureKind::Overloaded, OVERLOADED)
                    .await?;
            }
        }
        Ok(())
    }

    /// Starts what is due and has room, and tells whether there may be more to start at once.
    fn start_what_fits(&mut self) -> bool {
        let mut started = 0;
        while self.in_flight.len() < self.max_in_flight && started < STARTS {
            let Some(due) = self.backlog.pop() else { break };
            started += 1;
            let maker = Arc::clone(&self.maker);
            let about = Started {
                slot: due.slot.clone(),
                host: due.target.host().to_owned(),
            };
            // On the heap from the start: it is large, and would be moved several times.
            let check = Box::pin(async move { maker.check(due).await });
            self.in_flight.start(about, check);
        }
        self.meters.in_flight.set(count(self.in_flight.len()));
        self.meters.backlog.set(count(self.backlog.len()));
        started == STARTS
    }

    /// Settles the check that has ended, and those that have ended meanwhile: one look at the clock
    /// and the schedule is enough for all of them.
    async fn settle_all(&mut self, ended: Ended) -> anyhow::Result<()> {
        self.settle(ended).await?;
        while let Some(ended) = self.in_flight.try_next() {
            self.settle(ended).await?;
        }
        Ok(())
    }

    async fn settle(&mut self, (started, result): Ended) -> anyhow::Result<()> {
        self.backlog.finished(&started.host);
        let Some(mut result) = result else {
            return self
                .miss(started.slot, FailureKind::NotRunning, PANICKED)
                .await;
        };
        result.suspect = self.suspicion.doubts(&result, Utc::now());
        self.publish(result).await
    }

    async fn miss(&mut self, slot: Slot, kind: FailureKind, why: &str) -> anyhow::Result<()> {
        let event = CheckEvent::missed(&slot, self.maker.checker(), Failure::new(kind, None, why));
        self.publish(Box::new(event)).await
    }

    async fn publish(&mut self, result: Box<CheckEvent>) -> anyhow::Result<()> {
        self.meters.count_check(result.outcome);
        tracing::debug!(
            site.id = result.site_id.0,
            check.id = %result.id,
            outcome = %result.outcome,
            failure = ?result.failure,
            "checked"
        );
        self.has_results = true;
        let packed = parcel::pack(&result)?;
        Ok(self.results.send(Posted::Result(packed)).await?)
    }

    /// Tells how far the checks have come, behind the results that it is true of.
    async fn tell_reached(&mut self) -> anyhow::Result<()> {
        let now = Utc::now();
        let (often, seldom) = WATERMARK;
        let pause = if self.has_results { often } else { seldom };
        if now - self.watermark_at > pause {
            self.watermark_at = now;
            self.has_results = false;
            self.results
                .send(Posted::Reached(self.reached(now)))
                .await?;
        }
        Ok(())
    }

    /// Every slot up to here has been dealt with.
    fn reached(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let open = self
            .backlog
            .earliest()
            .into_iter()
            .chain(self.in_flight.earliest());
        open.min()
            .map_or(now, |earliest| earliest - TimeDelta::milliseconds(1))
    }

    /// Tells what has changed about the suspicion.
    fn tell(&mut self, network: &Component) {
        let since = self.suspicion.since();
        if since == self.told {
            return;
        }
        self.told = since;
        gauge!("checker_suspect").set(count(usize::from(since.is_some())));
        let Some(since) = since else {
            return network.ready();
        };
        let reason = format!(
            "most sites began to fail at once, at {since}: is the network of this checker broken? \
             Their results are marked suspect"
        );
        tracing::warn!("{reason}");
        network.not_ready(reason);
    }
}

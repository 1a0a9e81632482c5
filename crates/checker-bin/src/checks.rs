//! Running checks: what is due is started as soon as there is room, and told as missed when there
//! was none in its time.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use metrics::{counter, gauge, histogram};
use monitor_core::{CheckEvent, Failure, FailureKind, Site, Slot};
use monitor_probe::Prober;
use monitor_runtime::Context;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};

use crate::backlog::Backlog;
use crate::in_flight::InFlight;
use crate::outbox::count;
use crate::schedule::{Due, Schedule};

/// Longest sleep between two looks at the wall clock, which may be set while we sleep.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

const OVERLOADED: &str = "the next slot came due before this one could start";
const ASLEEP: &str = "the slot went by while the checker was suspended or its clock was set";
const STOPPING: &str = "the checker was stopped before this slot could start";
const CUT_SHORT: &str = "the checker was stopped before this check had ended";
const PANICKED: &str = "the check broke off through a bug in the checker: see its log";

/// The running checks of one checker.
pub(crate) struct Checks {
    prober: Arc<Prober>,
    checker: Arc<str>,
    schedule: Schedule,
    backlog: Backlog,
    in_flight: InFlight,
    max_in_flight: usize,
    results: mpsc::Sender<CheckEvent>,
}

impl Checks {
    /// No check is running yet. Every result goes into `results`.
    pub(crate) fn new(
        prober: Prober,
        checker: &str,
        schedule: Schedule,
        max_in_flight: usize,
        results: mpsc::Sender<CheckEvent>,
    ) -> Self {
        Self {
            prober: Arc::new(prober),
            checker: checker.into(),
            schedule,
            backlog: Backlog::default(),
            in_flight: InFlight::default(),
            max_in_flight,
            results,
        }
    }

    /// Checks every site in its slots until the service is to stop.
    pub(crate) async fn run(
        mut self,
        mut sites: mpsc::Receiver<Vec<Site>>,
        context: &Context,
    ) -> anyhow::Result<()> {
        while !context.stop.is_cancelled() {
            self.start_what_fits();
            let next_due = self.until_next_due();
            tokio::select! {
                () = context.stop.cancelled() => {}
                Some(sites) = sites.recv() => self.replace_sites(sites),
                Some(ended) = self.in_flight.next() => self.settle(ended).await?,
                () = sleep(next_due) => {}
            }
            self.take_due().await?;
        }
        self.wind_down(context.grace).await
    }

    /// Checks every site one time, for its current slot.
    pub(crate) async fn run_once(
        mut self,
        sites: Vec<Site>,
        context: &Context,
    ) -> anyhow::Result<()> {
        self.replace_sites(sites);
        for due in self.schedule.current(Utc::now()) {
            self.backlog.push(due);
        }
        self.start_what_fits();
        while self.in_flight.len() > 0 && !context.stop.is_cancelled() {
            tokio::select! {
                () = context.stop.cancelled() => {}
                Some(ended) = self.in_flight.next() => self.settle(ended).await?,
            }
            self.start_what_fits();
        }
        self.wind_down(context.grace).await
    }

    /// Gives the running checks half of the grace period to end: the other half is for delivering
    /// the results. Whatever has no result then is told as missed.
    async fn wind_down(&mut self, grace: Duration) -> anyhow::Result<()> {
        while let Some(due) = self.backlog.pop() {
            self.miss(due.slot, FailureKind::NotRunning, STOPPING)
                .await?;
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

    fn replace_sites(&mut self, sites: Vec<Site>) {
        self.schedule.replace(sites, Utc::now());
        gauge!("checker_sites").set(count(self.schedule.len()));
        tracing::info!(sites = self.schedule.len(), "sites to check");
    }

    fn until_next_due(&self) -> Duration {
        let wait = self
            .schedule
            .next_due()
            .map(|due| (due - Utc::now()).to_std());
        wait.map_or(LONGEST_SLEEP, Result::unwrap_or_default)
            .min(LONGEST_SLEEP)
    }

    async fn take_due(&mut self) -> anyhow::Result<()> {
        let due = self.schedule.take_due(Utc::now());
        for slot in due.missed {
            self.miss(slot, FailureKind::NotRunning, ASLEEP).await?;
        }
        for due in due.checks {
            if let Some(displaced) = self.backlog.push(due) {
                self.miss(displaced, FailureKind::Overloaded, OVERLOADED)
                    .await?;
            }
        }
        Ok(())
    }

    fn start_what_fits(&mut self) {
        while self.in_flight.len() < self.max_in_flight {
            let Some(due) = self.backlog.pop() else { break };
            let (prober, checker) = (Arc::clone(&self.prober), Arc::clone(&self.checker));
            self.in_flight.start(due.slot.clone(), async move {
                check(&prober, &checker, due).await
            });
        }
        gauge!("checker_in_flight").set(count(self.in_flight.len()));
        gauge!("checker_backlog").set(count(self.backlog.len()));
    }

    async fn settle(&mut self, ended: Result<CheckEvent, Slot>) -> anyhow::Result<()> {
        match ended {
            Ok(result) => self.publish(result).await,
            Err(slot) => self.miss(slot, FailureKind::NotRunning, PANICKED).await,
        }
    }

    async fn miss(&mut self, slot: Slot, kind: FailureKind, why: &str) -> anyhow::Result<()> {
        let event = CheckEvent::missed(&slot, &self.checker, Failure::new(kind, None, why));
        self.publish(event).await
    }

    async fn publish(&mut self, result: CheckEvent) -> anyhow::Result<()> {
        let outcome: &str = result.outcome.into();
        counter!("checker_checks_total", "outcome" => outcome.to_owned()).increment(1);
        tracing::debug!(
            site.id = result.site_id.0,
            check.id = %result.id,
            outcome,
            failure = ?result.failure,
            "checked"
        );
        Ok(self.results.send(result).await?)
    }
}

async fn check(prober: &Prober, checker: &str, due: Due) -> CheckEvent {
    let started_at = Utc::now();
    let lateness = (started_at - due.slot.scheduled_at)
        .to_std()
        .unwrap_or_default();
    histogram!("checker_start_lateness_seconds").record(lateness.as_secs_f64());
    let report = prober.check(&due.config, started_at).await;
    report.into_event(&due.slot, checker, started_at)
}

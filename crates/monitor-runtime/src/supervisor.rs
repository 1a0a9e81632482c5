//! Starts the tasks of a service, notices the one that dies, and stops them all in good order.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::context::{BoxedTask, Context, NewTask};
use crate::{Readiness, panics};

/// The name under which the `run` function of a service appears.
const MAIN: &str = "main";

/// How a service ended.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// Its work was done or it was asked to stop, and all tasks finished.
    Clean,
    /// A task failed, panicked or ended too early.
    TaskDied(TaskDied),
    /// These tasks had to be aborted.
    Forced(Vec<String>),
}

/// The task that took the service down.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("task {task} died: {reason}")]
pub struct TaskDied {
    /// The name under which it was started.
    pub task: String,
    /// What became of it.
    pub reason: String,
}

/// Requests to stop, each with the name of who asks. The first is polite, the second is not.
pub type StopRequests = mpsc::UnboundedReceiver<&'static str>;

/// A way to ask for a stop that is not a signal, for tests and embedding.
#[must_use]
pub fn stop_requests() -> (mpsc::UnboundedSender<&'static str>, StopRequests) {
    mpsc::unbounded_channel()
}

/// Owns the tasks of one service.
#[derive(Debug)]
pub struct Supervisor {
    tasks: JoinSet<anyhow::Result<()>>,
    /// Kept apart from the tasks because a task that panics cannot tell its name any more.
    names: HashMap<Id, String>,
    main: Option<Id>,
    new_tasks: mpsc::UnboundedReceiver<NewTask>,
    context: Context,
    died: Option<TaskDied>,
}

impl Supervisor {
    /// A service without tasks. When it is to stop, its tasks have `grace` to return.
    #[must_use]
    pub fn new(grace: Duration) -> Self {
        let (sender, new_tasks) = mpsc::unbounded_channel();
        let context = Context {
            stop: crate::CancellationToken::new(),
            grace,
            readiness: Readiness::default(),
            new_tasks: sender,
        };
        Self {
            tasks: JoinSet::new(),
            names: HashMap::new(),
            main: None,
            new_tasks,
            context,
            died: None,
        }
    }

    /// What the tasks of the service get to see.
    #[must_use]
    pub fn context(&self) -> Context {
        self.context.clone()
    }

    /// Runs `main`, and the tasks that it starts, to the end.
    ///
    /// The stop begins when `main` returns, with the first request, or when a task dies; the tasks
    /// then have their grace to return. A second request ends that time at once.
    pub async fn run<F>(mut self, main: F, mut requests: StopRequests) -> Outcome
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.main = Some(self.start(MAIN.to_owned(), Box::pin(main)));
        self.until_stop(&mut requests).await;
        self.context.stop.cancel();
        let aborted = self.drain_within_grace(&mut requests).await;
        match self.died {
            Some(died) => Outcome::TaskDied(died),
            None if aborted.is_empty() => Outcome::Clean,
            None => Outcome::Forced(aborted),
        }
    }

    fn start(&mut self, name: String, task: BoxedTask) -> Id {
        let id = self.tasks.spawn(task).id();
        self.names.insert(id, name);
        id
    }

    /// Waits for the first reason to stop.
    async fn until_stop(&mut self, requests: &mut StopRequests) {
        loop {
            tokio::select! {
                biased;
                Some(new) = self.new_tasks.recv() => {
                    self.start(new.name, new.task);
                }
                who = next(requests) => {
                    tracing::info!(request = who, "stopping");
                    return;
                }
                () = self.context.stop.cancelled() => {
                    tracing::info!(request = "service", "stopping");
                    return;
                }
                Some(end) = self.tasks.join_next_with_id() => {
                    if self.ended_early(end) {
                        return;
                    }
                }
            }
        }
    }

    /// Lets the tasks finish. Returns the names of those that did not and were aborted.
    async fn drain_within_grace(&mut self, requests: &mut StopRequests) -> Vec<String> {
        let deadline = Instant::now() + self.context.grace;
        let reason = tokio::select! {
            biased;
            () = self.drain() => return Vec::new(),
            who = next(requests) => who,
            () = sleep_until(deadline) => "grace period over",
        };
        let mut running: Vec<String> = self.names.values().cloned().collect();
        running.sort();
        tracing::error!(
            reason,
            tasks = running.join(", "),
            "tasks are still running: aborted"
        );
        self.tasks.abort_all();
        running
    }

    async fn drain(&mut self) {
        loop {
            while let Ok(new) = self.new_tasks.try_recv() {
                self.start(new.name, new.task);
            }
            tokio::select! {
                biased;
                Some(new) = self.new_tasks.recv() => {
                    self.start(new.name, new.task);
                }
                end = self.tasks.join_next_with_id() => match end {
                    Some(end) => self.ended_while_stopping(end),
                    None => return,
                }
            }
        }
    }

    /// Judges a task that ended before a stop was asked for. Returns whether the service stops.
    fn ended_early(&mut self, end: Result<(Id, anyhow::Result<()>), JoinError>) -> bool {
        let (id, failure) = failure(end);
        if self.main == Some(id) && failure.is_none() {
            tracing::info!("done");
            return true;
        }
        self.mark_dead(
            id,
            failure.unwrap_or_else(|| "it ended before it was asked to".into()),
        );
        true
    }

    fn ended_while_stopping(&mut self, end: Result<(Id, anyhow::Result<()>), JoinError>) {
        match failure(end) {
            (id, Some(reason)) => self.mark_dead(id, reason),
            (id, None) => {
                let task = self.names.remove(&id);
                tracing::debug!(task, "task finished");
            }
        }
    }

    fn mark_dead(&mut self, id: Id, reason: String) {
        let task = self.names.remove(&id).unwrap_or_default();
        tracing::error!(task, reason, "task died");
        self.died.get_or_insert(TaskDied { task, reason });
    }
}

/// The next request, or never when nobody is left to ask.
async fn next(requests: &mut StopRequests) -> &'static str {
    match requests.recv().await {
        Some(who) => who,
        None => std::future::pending().await,
    }
}

/// Which task ended, and what was wrong with it.
fn failure(end: Result<(Id, anyhow::Result<()>), JoinError>) -> (Id, Option<String>) {
    match end {
        Ok((id, Ok(()))) => (id, None),
        Ok((id, Err(error))) => (id, Some(format!("{error:#}"))),
        Err(error) => {
            let id = error.id();
            let reason = match error.try_into_panic() {
                Ok(payload) => format!("it panicked: {}", panics::message(payload.as_ref())),
                Err(error) => error.to_string(),
            };
            (id, Some(reason))
        }
    }
}

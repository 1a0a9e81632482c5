//! The running service, as its own code sees it.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::Readiness;

/// A task of the service, in a box.
pub(crate) type BoxedTask = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>;

/// A task on its way to the supervisor.
pub(crate) struct NewTask {
    pub(crate) name: String,
    pub(crate) task: BoxedTask,
}

/// The running service around a task: when to stop, what is ready, and how to start more tasks.
/// Clones are handles to the same service.
#[derive(Debug, Clone)]
pub struct Context {
    /// Cancelled when the service is to stop. To cancel it is to ask the service to stop.
    pub stop: CancellationToken,
    /// How long tasks may take to return once `stop` is cancelled; then they are aborted.
    pub grace: Duration,
    /// What `/readyz` answers.
    pub readiness: Readiness,
    pub(crate) new_tasks: mpsc::UnboundedSender<NewTask>,
}

impl Context {
    /// Starts a long-lived task under the supervisor.
    ///
    /// It must run until [`stop`](Self::stop) is cancelled, then finish what it holds and return.
    /// If it ends earlier, fails or panics, the process stops with exit code 1 and names it.
    pub fn spawn<F>(&self, name: impl Into<String>, task: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let task = NewTask {
            name: name.into(),
            task: Box::pin(task),
        };
        if let Err(refused) = self.new_tasks.send(task) {
            tracing::debug!(task = refused.0.name, "not started: the service has ended");
        }
    }
}

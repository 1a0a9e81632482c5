//! Whether the service can do its work, component by component.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The components that the service needs and whether each is ready.
///
/// A cheap handle: clones share one state. A service without any component is not ready; register
/// all of them first thing in `run`, so that it is not ready before the last of them is.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    components: Arc<Mutex<Components>>,
}

/// Name to the reason why it is not ready; `None` when it is.
type Components = BTreeMap<String, Option<String>>;

impl Readiness {
    /// Registers a component, not ready because it is `starting`. Asked again for the same name,
    /// gives a handle to the component that is there.
    #[must_use]
    pub fn component(&self, name: impl Into<String>) -> Component {
        let name = name.into();
        self.lock()
            .entry(name.clone())
            .or_insert_with(|| Some("starting".to_owned()));
        Component {
            name,
            readiness: self.clone(),
        }
    }

    /// Whether there are components and all of them are ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let components = self.lock();
        !components.is_empty() && components.values().all(Option::is_none)
    }

    /// Every component that is not ready, with the reason.
    #[must_use]
    pub fn not_ready(&self) -> BTreeMap<String, String> {
        let components = self.lock();
        let waiting = components
            .iter()
            .filter_map(|(name, reason)| Some((name, reason.as_ref()?)));
        waiting
            .map(|(name, reason)| (name.clone(), reason.clone()))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Components> {
        // Every change is one assignment, so a panic elsewhere leaves the map whole.
        self.components
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// One thing that the service needs, such as its database.
#[derive(Debug, Clone)]
pub struct Component {
    name: String,
    readiness: Readiness,
}

impl Component {
    /// The name under which `/readyz` shows it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Marks the component ready, and logs it when it was not.
    pub fn ready(&self) {
        if self.set(None).is_some() {
            tracing::info!(component = self.name, "ready");
        }
    }

    /// Marks the component not ready. The reason is shown to operators and must hold no secret; to
    /// log it is for the caller, who knows how grave it is.
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.set(Some(reason.into()));
    }

    /// Follows a state that somebody else watches, until `stop`: `trouble` says why a state means
    /// that the component is not ready, `None` that it is. News of trouble are logged.
    pub async fn follow<T>(
        &self,
        mut states: watch::Receiver<T>,
        trouble: impl Fn(&T) -> Option<String>,
        stop: &CancellationToken,
    ) {
        while !stop.is_cancelled() {
            let reason = trouble(&states.borrow_and_update());
            match reason {
                None => self.ready(),
                Some(reason) => {
                    tracing::warn!(component = self.name, "not ready: {reason}");
                    self.not_ready(reason);
                }
            }
            // When the watcher is gone, its last word stays.
            if let Some(Err(_)) = stop.run_until_cancelled(states.changed()).await {
                stop.cancelled().await;
            }
        }
    }

    /// Returns the reason that held before.
    fn set(&self, reason: Option<String>) -> Option<String> {
        let ready = if reason.is_none() { 1.0 } else { 0.0 };
        metrics::gauge!("component_ready", "component" => self.name.clone()).set(ready);
        self.readiness
            .lock()
            .insert(self.name.clone(), reason)
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_ready_when_every_component_is() {
        let readiness = Readiness::default();
        assert!(!readiness.is_ready(), "nothing is known yet");

        let database = readiness.component("database");
        let broker = readiness.component("broker");
        database.ready();
        assert!(!readiness.is_ready());
        assert_eq!(
            readiness.not_ready(),
            BTreeMap::from([("broker".into(), "starting".into())])
        );

        broker.ready();
        assert!(readiness.is_ready());
    }

    #[tokio::test]
    async fn a_component_follows_a_state_until_the_stop() {
        let readiness = Readiness::default();
        let (broker, stop) = (readiness.component("broker"), CancellationToken::new());
        let (sender, states) = watch::channel(Some("connecting".to_owned()));
        let follow = broker.follow(states, Clone::clone, &stop);
        let tell = async {
            tokio::task::yield_now().await;
            assert_eq!(readiness.not_ready()["broker"], "connecting");
            sender.send(None).unwrap();
            tokio::task::yield_now().await;
            assert!(readiness.is_ready());
            drop(sender);
            tokio::task::yield_now().await;
            assert!(readiness.is_ready());
            stop.cancel();
        };
        tokio::join!(follow, tell);
    }

    #[test]
    fn a_component_can_lose_its_readiness_again() {
        let readiness = Readiness::default();
        let broker = readiness.component("broker");
        broker.ready();
        readiness
            .component("broker")
            .not_ready("connection refused");
        assert_eq!(readiness.not_ready()["broker"], "connection refused");
        broker.ready();
        assert!(readiness.is_ready());
    }
}

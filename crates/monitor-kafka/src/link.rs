//! Whether a client can talk to Kafka right now.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// State of the connection between a client and the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// No connection has been made yet.
    Connecting,
    /// At least one broker can be talked to.
    Up,
    /// No broker can be talked to, and why.
    Down(String),
}

impl Link {
    /// Why Kafka cannot be used right now; `None` when it can, or when nothing is known against it
    /// yet.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        match self {
            Self::Connecting | Self::Up => None,
            Self::Down(reason) => Some(reason.clone()),
        }
    }
}

/// The writing end, for the callbacks of a client. Clones write the same state.
///
/// Trouble with one broker is no outage while others can be talked to, so a rolling restart of the
/// cluster leaves the link up. It is the reason, though, once none can be talked to.
#[derive(Clone, Debug)]
pub(crate) struct LinkState {
    link: watch::Sender<Link>,
    /// The first since a broker was connected, or the last that tells more: others are its echoes.
    trouble: Arc<Mutex<Option<String>>>,
}

impl LinkState {
    pub(crate) fn new() -> Self {
        Self {
            link: watch::Sender::new(Link::Connecting),
            trouble: Arc::default(),
        }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Link> {
        self.link.subscribe()
    }

    pub(crate) fn current(&self) -> Link {
        self.link.borrow().clone()
    }

    /// Some broker is connected.
    pub(crate) fn up(&self) {
        *self.lock() = None;
        self.set(Link::Up);
    }

    /// Something is wrong with one broker.
    pub(crate) fn note(&self, trouble: &str) {
        self.lock().get_or_insert_with(|| trouble.to_owned());
    }

    /// Something is wrong with one broker, and it is known what to look at.
    pub(crate) fn note_cause(&self, cause: &str) {
        *self.lock() = Some(cause.to_owned());
    }

    /// No broker is connected. Without any trouble that is no outage either: an idle client has no
    /// connection.
    pub(crate) fn none_connected(&self) {
        let trouble = self.lock().clone();
        if let Some(trouble) = trouble {
            self.set(Link::Down(trouble));
        }
    }

    fn set(&self, new: Link) {
        self.link.send_if_modified(|link| {
            let news = *link != new;
            *link = new;
            news
        });
    }

    // Every change is one assignment, so a panic elsewhere leaves it whole.
    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_takes_the_place_of_what_only_tells_that_there_is_trouble() {
        let state = LinkState::new();
        state.note("connection refused");
        state.note_cause("certificate verify failed (look at KAFKA_SSL_CA)");
        state.note("1/1 brokers are down");
        state.none_connected();
        let reason = state.current().trouble();
        assert!(reason.is_some_and(|reason| reason.contains("KAFKA_SSL_CA")));
    }

    #[test]
    fn trouble_with_one_of_several_brokers_is_no_outage() {
        let state = LinkState::new();
        state.up();
        state.note("broker 2: connection refused");
        assert_eq!(state.current(), Link::Up);
    }

    #[test]
    fn an_outage_is_told_with_the_first_trouble_since_the_last_connection() {
        let state = LinkState::new();
        state.note("long ago");
        state.up();
        for trouble in ["certificate expired", "disconnected", "all brokers down"] {
            state.note(trouble);
        }
        state.none_connected();
        assert_eq!(
            state.current(),
            Link::Down("certificate expired".to_owned())
        );
        state.up();
        assert_eq!(state.current().trouble(), None);
    }

    #[test]
    fn a_client_that_is_merely_idle_has_no_outage() {
        let state = LinkState::new();
        state.up();
        state.none_connected();
        assert_eq!(state.current(), Link::Up);
    }
}

//! Whether a client can talk to Kafka right now.

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
    /// Why Kafka cannot be used right now; `None` when it can.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        match self {
            Self::Connecting => Some("connecting".to_owned()),
            Self::Up => None,
            Self::Down(reason) => Some(reason.clone()),
        }
    }
}

/// The writing end: owned by the callbacks of one client.
#[derive(Debug)]
pub(crate) struct LinkState(watch::Sender<Link>);

impl LinkState {
    pub(crate) fn new() -> (Self, watch::Receiver<Link>) {
        let (sender, receiver) = watch::channel(Link::Connecting);
        (Self(sender), receiver)
    }

    pub(crate) fn up(&self) {
        self.set(Link::Up);
    }

    /// Keeps the first reason of an outage: later ones are its echoes, such as "all brokers down".
    pub(crate) fn down(&self, reason: &str) {
        self.0.send_if_modified(|link| {
            let news = !matches!(link, Link::Down(_));
            if news {
                *link = Link::Down(reason.to_owned());
            }
            news
        });
    }

    pub(crate) fn current(&self) -> Link {
        self.0.borrow().clone()
    }

    fn set(&self, new: Link) {
        self.0.send_if_modified(|link| {
            let news = *link != new;
            *link = new;
            news
        });
    }
}

//! How far the reader of the messages has come, and where it goes on.

use std::collections::HashMap;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use rdkafka::consumer::{CommitMode, Consumer as _};
use tokio::sync::oneshot;

use super::assignment::{Rewound, Ticket, Waiting};
use super::rebalance::{Member, Rebalances};
use super::{Chunk, Client, Lag, Position, positions};
use crate::client::Context;
use crate::error::KafkaError;

/// How long a partition waits before it is told of again.
const POSTPONE: Duration = Duration::from_secs(1);

/// Where a partition begins.
#[derive(Clone, Copy, Debug)]
pub struct Begin {
    /// The partition.
    pub waiting: Waiting,
    /// The first offset to read.
    pub offset: i64,
    /// What the ledger of the database says, if anything.
    pub floor: Option<i64>,
}

/// A beginning, and where to say whether it was one.
pub(super) type Beginning = (Begin, oneshot::Sender<bool>);

/// A handle to the progress of a consumer. Clones are handles to the same.
#[derive(Clone)]
pub struct Progress {
    /// Weak, so that the consumer ends when it is closed, whoever has a handle.
    client: Weak<Client>,
    context: Arc<Context<Member>>,
    beginnings: Sender<Beginning>,
}

impl Progress {
    pub(super) fn new(client: &Arc<Client>, beginnings: Sender<Beginning>) -> Self {
        Self {
            client: Arc::downgrade(client),
            context: Arc::clone(client.context()),
            beginnings,
        }
    }

    pub(super) fn is_closing(&self) {
        let closing = &self.context.role.closing;
        closing.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// The topic that is read.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.context.role.topic
    }

    /// Partitions that wait to be told where to begin, and when more will.
    #[must_use]
    pub fn waiting(&self) -> (Vec<Waiting>, Option<Instant>) {
        self.context.role.assignment.waiting(Instant::now())
    }

    /// Returns once partitions may have begun to wait since it was last called.
    pub async fn has_news(&self) {
        self.context.role.assignment.has_news().await;
    }

    /// What is known of the offsets of these partitions; to be asked after the ledger was read, with
    /// which all of it is compared. One that has no leader right now is left out.
    pub async fn positions(&self, of: &[Waiting]) -> Result<Vec<Position>, KafkaError> {
        let partitions: Vec<i32> = of.iter().map(|each| each.partition).collect();
        let Some(client) = self.client.upgrade() else {
            return Ok(Vec::new());
        };
        let asked = tokio::task::spawn_blocking(move || {
            positions::ask(&client, &client.context().role, &partitions)
        });
        asked
            .await
            .unwrap_or_else(|panic| Err(KafkaError::Fatal(panic.to_string())))
    }

    /// Lets partitions wait a little before they are told of again.
    pub fn postpone(&self, waiting: &[Waiting]) {
        let until = Instant::now() + POSTPONE;
        for each in waiting {
            self.context.role.assignment.postpone(*each, until);
        }
    }

    /// Lets a partition begin, at once; the future says whether it has. One that has not is not ours
    /// any more, or is told of again ([`waiting`](Self::waiting)) when it can.
    pub fn begin(&self, begin: Begin) -> impl Future<Output = bool> + use<> {
        let (answer, answered) = oneshot::channel();
        // Nobody listens only when the consumer has ended.
        self.beginnings.send((begin, answer)).ok();
        async { answered.await.unwrap_or(false) }
    }

    /// Takes messages on their way to the database. They have to be landed, or restarted.
    #[must_use]
    pub fn take(&self, chunks: &[Chunk]) -> Ticket {
        let spans = chunks.iter().flat_map(Chunk::spans);
        self.context.role.assignment.take(spans)
    }

    /// Whether any of these messages is still ours to store.
    #[must_use]
    pub fn is_current(&self, ticket: &Ticket) -> bool {
        self.context.role.assignment.is_current(ticket)
    }

    /// By partition, the offset that the ledger may say in the transaction that stores these
    /// messages: only where all messages before them were stored when this was asked. So whatever
    /// later transactions a database loses, what its ledger says it has.
    #[must_use]
    pub fn claims(&self, ticket: &Ticket) -> HashMap<i32, i64> {
        self.context.role.assignment.claims(ticket)
    }

    /// These messages are dealt with, except those of some partitions: commits, in the background,
    /// what is done without a gap.
    ///
    /// A commit that fails is only logged: the messages come again, which the store tells.
    pub fn land(&self, ticket: &Ticket, except: &[i32]) {
        let member = &self.context.role;
        member.assignment.land(ticket, except, |done| {
            if let Some(client) = self.client.upgrade() {
                member.commit(&client, done, CommitMode::Async);
            }
        });
    }

    /// Reads partitions of a ticket again from what is committed, not before `at`.
    pub fn restart(&self, ticket: &Ticket, partitions: &[i32], at: Instant) {
        let assignment = &self.context.role.assignment;
        assignment.restart(ticket, partitions, at);
    }

    /// Compares the ledger of a database that was just connected to with what it should have.
    /// What it lacks is read again.
    #[must_use]
    pub fn reconcile(&self, ledger: &HashMap<i32, i64>) -> Vec<Rewound> {
        self.context.role.assignment.reconcile(ledger)
    }

    /// How far each partition that is being read is behind.
    #[must_use]
    pub fn lags(&self) -> Vec<Lag> {
        self.context.role.assignment.lags()
    }

    /// How often partitions came and went.
    #[must_use]
    pub fn rebalances(&self) -> Rebalances {
        self.context.role.rebalances()
    }
}

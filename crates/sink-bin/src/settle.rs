//! Dealing with a batch to the end: whatever is stored is committed, whatever cannot be is put
//! aside, and nothing else is given up.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use metrics::counter;
use monitor_core::event::KeptEvent;
use monitor_kafka::{Chunk, Progress, Ticket};
use monitor_runtime::{Backoff, CancellationToken, Component, Retry};
use monitor_store::ErrorClass;

use crate::batch::Batch;
use crate::breaker::Breaker;
use crate::letters::Letters;
use crate::observe;
use crate::portion::Portion;
use crate::writer::{WriteError, Writer};

/// Delays before a transaction is tried again.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(100),
    longest: Duration::from_secs(30),
};
/// How long a transaction, or putting letters aside, may take to end once the service is to stop.
const LAST_CHANCE: Duration = Duration::from_secs(3);

/// Settles batches, several at a time.
pub(crate) struct Settler {
    progress: Progress,
    letters: Letters,
    database: Component,
    breaker: Mutex<Breaker>,
    portion: Mutex<Portion>,
    stop: CancellationToken,
}

impl Settler {
    /// Settles for a consumer, and tells through `database` what is in the way. At most `events`
    /// are stored at once.
    pub(crate) fn new(
        progress: Progress,
        letters: Letters,
        database: Component,
        events: usize,
        stop: CancellationToken,
    ) -> Self {
        Self {
            progress,
            letters,
            database,
            breaker: Mutex::new(Breaker::new(Instant::now())),
            portion: Mutex::new(Portion::new(events)),
            stop,
        }
    }

    /// Deals with messages, however long it takes. When asked to stop before that, or when they are
    /// not ours any more, they will be read again, here or elsewhere.
    pub(crate) async fn settle(&self, writer: &mut Writer, ticket: &Ticket, chunks: &[Chunk]) {
        let started = Instant::now();
        let mut batch = Batch::read(chunks, ticket, Utc::now()).await;
        lock(&self.breaker).saw(batch.events.len(), started);
        if self.store(writer, ticket, &mut batch).await.is_none() {
            self.read_again(ticket);
            return;
        }
        observe::batch(&batch, started.elapsed());
        // A broker that does not answer has two minutes for it, which a service that stops has not.
        match self.last_chance(self.letters.put(&batch.letters)).await {
            Some(Ok(())) => self.progress.land(ticket, &[]),
            Some(Err(kept)) => {
                self.progress.land(ticket, &kept.partitions);
                self.progress.restart(ticket, &kept.partitions, kept.until);
            }
            None => self.read_again(ticket),
        }
    }

    fn read_again(&self, ticket: &Ticket) {
        let partitions: Vec<i32> = ticket.partitions().collect();
        self.progress.restart(ticket, &partitions, Instant::now());
    }

    /// By partition, the offset before which the database has everything.
    pub(crate) async fn ledger(&self, writer: &mut Writer) -> Option<HashMap<i32, i64>> {
        let mut retry = Retry::new(&self.database, BACKOFF, &self.stop);
        loop {
            match self.last_chance(writer.ledger()).await? {
                Ok(ledger) => {
                    self.database.ready();
                    return Some(ledger);
                }
                Err(error) => self.fail(&mut retry, &error).await?,
            }
        }
    }

    /// Stores all events that can be, in one transaction if possible.
    async fn store(
        &self,
        writer: &mut Writer,
        ticket: &Ticket,
        batch: &mut Batch<'_>,
    ) -> Option<()> {
        let mut parts = VecDeque::new();
        parts.push_back(0..batch.events.len());
        let mut claimed = false;
        while let Some(part) = parts.pop_front() {
            let portion = lock(&self.portion).size();
            if part.len() > portion {
                let cut = part.start + portion;
                parts.push_front(cut..part.end);
                parts.push_front(part.start..cut);
                continue;
            }
            let last = parts.is_empty();
            let events = &batch.events[part.clone()];
            match self.attempt(writer, ticket, events, last).await? {
                Stored::All => claimed |= last,
                Stored::None(error) if part.len() <= 1 => {
                    batch.refuse(part.start, error.refusal(), error.to_string());
                }
                Stored::None(_) => halve(part, &mut parts),
            }
        }
        if !claimed {
            self.attempt(writer, ticket, &[], true).await?;
        }
        Some(())
    }

    /// Stores a part of the batch, trying for as long as it may help. The last part also records
    /// how far the batch goes.
    async fn attempt(
        &self,
        writer: &mut Writer,
        ticket: &Ticket,
        events: &[KeptEvent<'_>],
        last: bool,
    ) -> Option<Stored> {
        let mut retry = Retry::new(&self.database, BACKOFF, &self.stop);
        let mut held = false;
        loop {
            let claims = || self.claims(ticket, last);
            let error = match self.last_chance(writer.store(events, claims)).await? {
                Ok(None) => return None,
                Ok(Some(inserted)) => {
                    observe::stored(&inserted);
                    self.succeed(events.len(), held);
                    return Some(Stored::All);
                }
                Err(error) => error,
            };
            match self.judge(&error, events.len()) {
                Verdict::Less => return Some(Stored::None(error)),
                Verdict::Again => self.fail(&mut retry, &error).await?,
                Verdict::Hold => {
                    held = true;
                    let alarm = format!(
                        "too many events are refused, stopped so as not to drain the topic: {error}"
                    );
                    retry.failed(alarm).await?;
                }
            }
        }
    }

    /// What the transaction may record; `None` when nothing of the batch is ours any more.
    fn claims(&self, ticket: &Ticket, last: bool) -> Option<HashMap<i32, i64>> {
        let is_current = self.progress.is_current(ticket);
        is_current.then(|| {
            if last {
                self.progress.claims(ticket)
            } else {
                HashMap::new()
            }
        })
    }

    fn judge(&self, error: &WriteError, events: usize) -> Verdict {
        if error.class() == ErrorClass::Poison {
            let single = events == 1;
            let may_be_put_aside = !single || lock(&self.breaker).refused();
            return if may_be_put_aside {
                Verdict::Less
            } else {
                Verdict::Hold
            };
        }
        if error.is_too_much() && events > 1 {
            lock(&self.portion).shrink(events);
            tracing::warn!(events, "storing half at a time: {error}");
            count(error);
            return Verdict::Less;
        }
        Verdict::Again
    }

    fn succeed(&self, events: usize, held: bool) {
        self.database.ready();
        lock(&self.portion).grow(events);
        if held {
            lock(&self.breaker).accepted(Instant::now());
        }
    }

    async fn fail(&self, retry: &mut Retry<'_>, error: &WriteError) -> Option<()> {
        count(error);
        retry.failed(error.to_string()).await
    }

    /// The outcome of a transaction or the like; `None` when it does not come soon after the service
    /// is to stop.
    pub(crate) async fn last_chance<T>(&self, transaction: impl Future<Output = T>) -> Option<T> {
        let too_late = async {
            self.stop.cancelled().await;
            tokio::time::sleep(LAST_CHANCE).await;
        };
        tokio::select! {
            biased;
            outcome = transaction => Some(outcome),
            () = too_late => None,
        }
    }
}

enum Stored {
    All,
    /// Nothing, and not because of something that passes.
    None(WriteError),
}

enum Verdict {
    Again,
    Less,
    Hold,
}

fn halve(part: Range<usize>, parts: &mut VecDeque<Range<usize>>) {
    let middle = part.start + part.len() / 2;
    parts.push_front(middle..part.end);
    parts.push_front(part.start..middle);
}

fn count(error: &WriteError) {
    let class = match error.class() {
        ErrorClass::Reconnect => "reconnect",
        ErrorClass::Retry => "retry",
        ErrorClass::TooSlow => "too_slow",
        ErrorClass::MissingPartition => "missing_partition",
        ErrorClass::Setup => "setup",
        ErrorClass::Poison => "poison",
        ErrorClass::Bug => "bug",
    };
    counter!("sink_store_errors_total", "class" => class).increment(1);
}

// None of these locks is held over anything that could panic half-way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

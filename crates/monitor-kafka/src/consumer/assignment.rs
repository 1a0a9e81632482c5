//! Which partitions are ours right now, since when, and how far each has come.
//!
//! Reading a partition begins when somebody says from where, which takes an answer of the database;
//! until then the partition is waiting, and paused. Each time it begins anew (because it was
//! assigned, or has to be read again from an earlier offset) it gets a new epoch, and every message
//! carries the epoch that it was read in. So what was read before a partition went to another
//! consumer (and perhaps came back, rewound) can be told from what is ours to store.
//!
//! Several batches may be on their way to the database at once. Whatever order they end in, a
//! partition is done only up to the first that has not.

mod partition;
mod ticket;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use self::partition::{Partition, Reading};
pub use self::ticket::Ticket;
use super::chunk::Span;
use super::lag::Lag;

/// A partition that waits to be told where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The partition.
    pub partition: i32,
    pub(super) epoch: u64,
}

/// A partition that is read again from an earlier offset, because the database does not have what
/// it was thought to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewound {
    /// The partition.
    pub partition: i32,
    /// The offset up to which everything was thought to be stored.
    pub done: i64,
    /// The offset up to which the database says that it is; `None` when it knows nothing.
    pub ledger: Option<i64>,
}

#[derive(Default)]
pub(super) struct Assignment {
    state: Mutex<State>,
    /// A batch has ended.
    landed: Condvar,
    /// Grows whenever a partition changes its epoch or begins to be read.
    version: AtomicU64,
    /// A partition has begun to wait.
    waiting: Notify,
    /// Longest wait for batches under way when partitions leave.
    patience: Duration,
}

#[derive(Default)]
struct State {
    partitions: HashMap<i32, Partition>,
    last_epoch: u64,
    last_ticket: u64,
}

impl State {
    fn current(&mut self, partition: i32, epoch: u64) -> Option<&mut Partition> {
        let found = self.partitions.get_mut(&partition);
        found.filter(|found| found.epoch == epoch)
    }

    fn renew(&mut self, partition: i32, not_before: Option<Instant>) {
        self.last_epoch += 1;
        let mut renewed = Partition::new(self.last_epoch, not_before);
        if let Some(known) = self.partitions.get(&partition) {
            (renewed.end, renewed.stored) = (known.end, known.stored);
        }
        self.partitions.insert(partition, renewed);
    }
}

impl Assignment {
    pub(super) fn with_patience(patience: Duration) -> Self {
        Self {
            patience,
            ..Self::default()
        }
    }

    // A panic in these few lines leaves every partition whole, so a poisoned lock is of no concern.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn news(&self) {
        self.version.fetch_add(1, Ordering::Release);
        self.waiting.notify_one();
        self.landed.notify_all();
    }

    /// Changes with every change that whoever polls has to know of.
    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Partitions are ours from now on, and wait to be told where to begin.
    pub(super) fn assigned(&self, partitions: impl IntoIterator<Item = i32>) {
        let mut state = self.lock();
        for partition in partitions {
            state.renew(partition, None);
        }
        drop(state);
        self.news();
    }

    /// Partitions are no longer ours.
    pub(super) fn lost(&self, partitions: &[i32]) {
        let mut state = self.lock();
        for partition in partitions {
            state.partitions.remove(partition);
        }
        drop(state);
        self.news();
    }

    /// Takes nothing more of these partitions and waits, not for long, for what is under way.
    /// Returns how far each has come since it began, as far as that is not committed yet.
    pub(super) fn leave(&self, partitions: &[i32]) -> Vec<(i32, i64)> {
        let mut state = self.lock();
        for partition in partitions {
            if let Some(leaving) = state.partitions.get_mut(partition) {
                leaving.leaving = true;
            }
        }
        let under_way = |state: &mut State| {
            let mut leaving = state.partitions.values().filter(|each| each.leaving);
            leaving.any(|each| !each.flights.is_empty())
        };
        let waited = self
            .landed
            .wait_timeout_while(state, self.patience, under_way);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let done = partitions.iter().filter_map(|partition| {
            let left = state.partitions.get(partition)?;
            let news = left.moved && left.committed != Some(left.done);
            news.then_some((*partition, left.done))
        });
        done.collect()
    }

    /// Partitions that can begin now, and when the next can that cannot yet.
    pub(super) fn waiting(&self, now: Instant) -> (Vec<Waiting>, Option<Instant>) {
        let (mut ready, mut next) = (Vec::new(), None::<Instant>);
        for (&partition, each) in &self.lock().partitions {
            let Reading::Waiting { not_before } = each.reading else {
                continue;
            };
            match not_before.filter(|at| *at > now) {
                Some(at) => next = Some(next.map_or(at, |next| next.min(at))),
                None => ready.push(Waiting {
                    partition,
                    epoch: each.epoch,
                }),
            }
        }
        (ready, next)
    }

    /// Returns once something may have begun to wait since it was last called.
    pub(super) async fn has_news(&self) {
        self.waiting.notified().await;
    }

    pub(super) fn is_waiting(&self, waiting: Waiting) -> bool {
        let mut state = self.lock();
        let found = state.current(waiting.partition, waiting.epoch);
        found.is_some_and(|found| !found.is_running())
    }

    /// The partition is read from `offset` on. The ledger says `floor`, if anything.
    pub(super) fn begun(&self, waiting: Waiting, offset: i64, floor: Option<i64>) {
        let mut state = self.lock();
        if let Some(partition) = state.current(waiting.partition, waiting.epoch) {
            partition.reading = Reading::Running;
            partition.done = offset;
            partition.floor = floor.unwrap_or(0).min(offset);
        }
        drop(state);
        self.news();
    }

    /// The partition could not begin: it waits a little longer.
    pub(super) fn postpone(&self, waiting: Waiting, until: Instant) {
        let mut state = self.lock();
        if let Some(partition) = state.current(waiting.partition, waiting.epoch) {
            partition.reading = Reading::Waiting {
                not_before: Some(until),
            };
        }
        drop(state);
        self.news();
    }

    /// The epoch of a partition that is being read.
    pub(super) fn epoch(&self, partition: i32) -> Option<u64> {
        let state = self.lock();
        let found = state.partitions.get(&partition)?;
        found.is_running().then_some(found.epoch)
    }

    /// Partitions, by whether they are being read or wait.
    pub(super) fn partitions(&self, running: bool) -> Vec<i32> {
        let state = self.lock();
        let chosen = state
            .partitions
            .iter()
            .filter(|(_, each)| each.is_running() == running);
        chosen.map(|(partition, _)| *partition).collect()
    }

    /// All partitions that are ours.
    pub(super) fn all_partitions(&self) -> Vec<i32> {
        self.lock().partitions.keys().copied().collect()
    }

    /// These messages have left the client.
    pub(super) fn handed_over(&self, spans: &[Span]) {
        let mut state = self.lock();
        for span in spans {
            if let Some(partition) = state.current(span.partition, span.epoch) {
                partition.waiters.push(span.next_offset, span.oldest);
            }
        }
    }

    /// Whether anything waits, or was handed over and is not done.
    pub(super) fn is_unsettled(&self) -> bool {
        let state = self.lock();
        let mut all = state.partitions.values();
        all.any(|each| !each.is_running() || !each.waiters.is_empty())
    }

    /// Whether anything of a partition that is being read was handed over and is not done.
    pub(super) fn is_under_way(&self) -> bool {
        let state = self.lock();
        let mut all = state.partitions.values();
        all.any(|each| each.is_running() && !each.waiters.is_empty())
    }

    /// The offset before which everything of a partition was stored since it became ours, however
    /// often it has begun anew; `None` when nothing was, or when the database may have lost it. A
    /// topic whose `end` is before that is another one, of which nothing was stored.
    pub(super) fn stored(&self, partition: i32, end: i64) -> Option<i64> {
        let mut state = self.lock();
        let known = state.partitions.get_mut(&partition)?;
        known.stored = known.stored.filter(|stored| *stored <= end);
        known.stored
    }

    /// Compares what a database says with what it should have, and makes the partitions wait
    /// that it lacks something of.
    pub(super) fn reconcile(&self, ledger: &HashMap<i32, i64>) -> Vec<Rewound> {
        let mut state = self.lock();
        let behind: Vec<_> = state
            .partitions
            .iter()
            .filter(|(_, each)| each.is_running())
            .filter_map(|(&partition, each)| {
                let known = ledger.get(&partition).copied();
                (known.unwrap_or(0) < each.floor).then_some(Rewound {
                    partition,
                    done: each.done,
                    ledger: known,
                })
            })
            .collect();
        for rewound in &behind {
            state.renew(rewound.partition, None);
        }
        for (partition, each) in &mut state.partitions {
            let known = ledger.get(partition).copied();
            each.stored = each.stored.filter(|_| known >= each.stored);
        }
        drop(state);
        if !behind.is_empty() {
            self.news();
        }
        behind
    }

    /// The broker has confirmed a commit.
    pub(super) fn committed(&self, partition: i32, offset: i64) {
        if let Some(known) = self.lock().partitions.get_mut(&partition) {
            known.committed = Some(offset);
        }
    }

    /// A partition's end in the topic, as a broker told it.
    pub(super) fn ends_at(&self, partition: i32, end: i64) {
        if let Some(known) = self.lock().partitions.get_mut(&partition) {
            known.end = Some(end);
        }
    }

    /// How far each partition is behind its end.
    pub(super) fn lags(&self) -> Vec<Lag> {
        let state = self.lock();
        let running = state
            .partitions
            .iter()
            .filter(|(_, each)| each.is_running());
        running
            .map(|(&partition, each)| {
                // What was read since the broker last told it is beyond that.
                let end = each.end.max(each.waiters.next_offset());
                Lag {
                    partition,
                    events: end.map(|end| end.saturating_sub(each.done).max(0)),
                    since: each.waiters.since(end.is_some_and(|end| end > each.done)),
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;

//! Whether the topic is still the one that was read so far.
//!
//! A topic may be deleted and made anew under its reader. Offsets then mean other messages, and where
//! the new topic has as many as the one before, nothing shows it but the topic's id: whoever goes on
//! at the offset that he had come to loses all that the new topic has before.
//!
//! librdkafka learns of the new id, takes it over and goes on at that offset. Its only word about it is
//! a line of its debug log, so this is where it is read.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The part of librdkafka's debug log that tells of ids.
pub(super) const DEBUG: &str = "metadata";

const CHANGED: &str = " changed id from ";

/// The topic's id, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Identity {
    id: Mutex<Option<String>>,
    changed: AtomicBool,
    /// Partitions of which the committed offsets are those of the topic before.
    stale: Mutex<HashSet<i32>>,
}

impl Identity {
    /// Listens to a line of the log. Called on a thread of the client, before it asks for any message
    /// of the new topic.
    pub(super) fn hear(&self, line: &str, topic: &str) {
        let Some(id) = new_id(line, topic) else {
            return;
        };
        let before = lock(&self.id).replace(id.to_owned());
        // The first is only the one that was not known yet.
        if before.is_some_and(|before| before != id) {
            self.changed.store(true, Ordering::Release);
        }
    }

    /// Whether the topic is another one, and nobody has dealt with it yet.
    pub(super) fn has_changed(&self) -> bool {
        self.changed.load(Ordering::Acquire)
    }

    /// Deals with it: what is committed of these partitions does not count until they have begun.
    pub(super) fn accept(&self, partitions: &[i32]) {
        lock(&self.stale).extend(partitions);
        self.changed.store(false, Ordering::Release);
    }

    /// Whether what is committed of a partition is of another topic.
    pub(super) fn is_stale(&self, partition: i32) -> bool {
        lock(&self.stale).contains(&partition)
    }

    /// The partition is being read.
    pub(super) fn begun(&self, partition: i32) {
        lock(&self.stale).remove(&partition);
    }
}

/// From `… Topic NAME changed id from OLD to NEW`.
fn new_id<'a>(line: &'a str, topic: &str) -> Option<&'a str> {
    let (before, ids) = line.split_once(CHANGED)?;
    let (_, id) = ids.split_once(" to ")?;
    let is_ours = before
        .strip_suffix(topic)
        .is_some_and(|rest| rest.ends_with("Topic "));
    is_ours.then_some(id.trim())
}

// Every change is one call, so a panic elsewhere leaves them whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_id_of_the_same_topic_is_a_change() {
        let identity = Identity::default();
        for (line, changed) in [
            (
                "[thrd:main]: Topic checks changed id from AAAA to first",
                false,
            ),
            ("[thrd:main]: Topic checks [0] Leader 1 Epoch 0", false),
            (
                "[thrd:main]: Topic checks changed id from AAAA to first",
                false,
            ),
            (
                "[thrd:main]: Topic more checks changed id from x to y",
                false,
            ),
            (
                "[thrd:main]: Topic checks changed id from first to second",
                true,
            ),
        ] {
            identity.hear(line, "checks");
            assert_eq!(identity.has_changed(), changed, "{line}");
        }
        identity.accept(&[0, 1]);
        assert!(!identity.has_changed() && identity.is_stale(1));
        identity.begun(1);
        assert!(!identity.is_stale(1) && identity.is_stale(0));
    }
}

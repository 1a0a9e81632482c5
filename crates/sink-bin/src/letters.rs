//! Putting messages aside.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use metrics::counter;
use monitor_kafka::{DeadLetter, DeadLetters};
use monitor_runtime::{Backoff, Component};

/// Letters a minute that are logged one by one.
const LOGGED: u32 = 10;
/// Letters a minute that are worth an alarm.
const ALARMING: u32 = 100;
/// Over how long letters are counted.
const WINDOW: Duration = Duration::from_mins(1);
/// Delays before messages are read again that could not be put aside. Their whole partition waits
/// for so long, also once the topic can be written again.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(10),
};

/// Puts letters into their topic, one batch at a time.
pub(crate) struct Letters {
    topic: tokio::sync::Mutex<DeadLetters>,
    component: Component,
    state: Mutex<State>,
}

struct State {
    since: Instant,
    letters: u32,
    delay: Duration,
}

/// Partitions of which letters could not be put aside, and when to try again.
pub(crate) struct Kept {
    pub(crate) partitions: Vec<i32>,
    pub(crate) until: Instant,
}

impl Letters {
    /// Tells through `component` when letters cannot be put aside.
    pub(crate) fn new(topic: DeadLetters, component: Component) -> Self {
        component.ready();
        let state = State {
            since: Instant::now(),
            letters: 0,
            delay: BACKOFF.first,
        };
        Self {
            topic: tokio::sync::Mutex::new(topic),
            component,
            state: Mutex::new(state),
        }
    }

    /// Puts letters aside, confirmed. When that fails, their partitions must not go on: they are to
    /// be read again later, so that neither a message is lost nor does memory fill with letters,
    /// while all other partitions go on.
    pub(crate) async fn put(&self, letters: &[DeadLetter]) -> Result<(), Kept> {
        if letters.is_empty() {
            return Ok(());
        }
        let put = self.topic.lock().await.put(letters).await;
        match put {
            Ok(()) => {
                self.component.ready();
                self.tell(letters);
                Ok(())
            }
            Err(error) => {
                counter!("sink_dead_letter_errors_total").increment(1);
                tracing::error!("{error}; the partitions of these messages wait");
                self.component.not_ready(error.to_string());
                let partitions: BTreeSet<i32> = letters.iter().map(|each| each.partition).collect();
                Err(Kept {
                    partitions: partitions.into_iter().collect(),
                    until: Instant::now() + self.next_delay(),
                })
            }
        }
    }

    fn next_delay(&self) -> Duration {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let delay = state.delay;
        state.delay = BACKOFF.after(delay);
        delay
    }

    /// Counts and logs; a flood of letters is told as one.
    fn tell(&self, letters: &[DeadLetter]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.delay = BACKOFF.first;
        if state.since.elapsed() >= WINDOW {
            (state.since, state.letters) = (Instant::now(), 0);
        }
        for letter in letters {
            let DeadLetter { class, reason, .. } = letter;
            counter!("sink_dead_letters_total", "reason" => class.clone()).increment(1);
            state.letters += 1;
            if state.letters <= LOGGED {
                tracing::warn!(
                    kafka.partition = letter.partition,
                    kafka.offset = letter.offset,
                    class,
                    "put aside: {reason}"
                );
            } else if state.letters == ALARMING {
                tracing::error!(
                    "more than {ALARMING} messages were put aside within a minute: \
                     look at them with `admin dead-letters list`"
                );
            }
        }
    }
}

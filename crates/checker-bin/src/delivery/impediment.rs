//! Why results wait although a broker can be talked to.

use std::time::{Duration, Instant};

use monitor_kafka::Producer;

/// A result that waits for longer than this is worth a word.
pub(crate) const LONG_WAIT: Duration = Duration::from_secs(10);
/// Time between two questions.
const PAUSE: Duration = Duration::from_secs(10);
/// How long a broker may take to answer: nothing is brought to the disk meanwhile.
const LIMIT: Duration = Duration::from_secs(1);

/// What in the cluster keeps results from being taken, asked for while they wait for long.
#[derive(Debug, Default)]
pub(super) struct Impediment {
    found: Option<String>,
    asked_at: Option<Instant>,
}

impl Impediment {
    /// Asks, unless it just did; the oldest result has waited for so long.
    pub(super) fn look(&mut self, waits: Duration, producer: &Producer) {
        if waits <= LONG_WAIT {
            *self = Self::default();
            return;
        }
        if self.asked_at.is_some_and(|at| at.elapsed() < PAUSE) {
            return;
        }
        self.asked_at = Some(Instant::now());
        let answers = producer.link().borrow().trouble().is_none();
        self.found = answers.then(|| producer.impediment(LIMIT)).flatten();
    }

    pub(super) fn found(&self) -> Option<&str> {
        self.found.as_deref()
    }
}

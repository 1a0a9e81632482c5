//! Waits for what the service depends on, for as long as it takes.

mod repeats;

use std::future::Future;
use std::time::Duration;

use repeats::Repeats;
use tokio::time::{Instant, sleep};

use crate::{CancellationToken, Component};

/// Delays between attempts, which double from the first to the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first delay.
    pub first: Duration,
    /// What no later delay exceeds.
    pub longest: Duration,
}

impl Backoff {
    /// For what a service waits for when it starts.
    pub const START: Self = Self {
        first: Duration::from_millis(200),
        longest: Duration::from_secs(10),
    };

    /// The delay after this one.
    #[must_use]
    pub fn after(self, delay: Duration) -> Duration {
        self.longest.min(delay * 2)
    }
}

/// A row of failed attempts, and the waiting between them.
///
/// After a failed attempt the component is not ready, for the reason of the failure. The delays are
/// random, up to those of a [`Backoff`], so that the instances of a service do not come back in step. A failure is logged when it
/// is new, and again every few minutes for as long as it lasts.
#[derive(Debug)]
pub struct Retry<'a> {
    component: &'a Component,
    stop: &'a CancellationToken,
    repeats: Repeats,
    backoff: Backoff,
    bound: Duration,
    attempt: u64,
}

impl<'a> Retry<'a> {
    /// Before the first attempt.
    #[must_use]
    pub fn new(component: &'a Component, backoff: Backoff, stop: &'a CancellationToken) -> Self {
        Self {
            component,
            stop,
            repeats: Repeats::default(),
            backoff,
            bound: backoff.first,
            attempt: 0,
        }
    }

    /// Tells of a failed attempt and waits until the next is due. `None` when the service is to
    /// stop.
    pub async fn failed(&mut self, reason: String) -> Option<()> {
        self.attempt += 1;
        let delay = self.bound.mul_f64(fastrand::f64());
        let (repeats, attempt) = (&mut self.repeats, self.attempt);
        report(repeats, self.component, &reason, attempt, delay);
        self.component.not_ready(reason);
        self.bound = self.backoff.after(self.bound);
        self.stop.run_until_cancelled(sleep(delay)).await
    }
}

/// Tries until an attempt succeeds, and marks `component` ready. Returns `None` when `stop` is
/// cancelled first; a running attempt is then dropped.
pub async fn retry_until_ready<T, E, F, R>(
    component: &Component,
    stop: &CancellationToken,
    mut attempt: F,
) -> Option<T>
where
    F: FnMut() -> R,
    R: Future<Output = Result<T, E>>,
    E: Into<anyhow::Error>,
{
    let mut retry = Retry::new(component, Backoff::START, stop);
    loop {
        match stop.run_until_cancelled(attempt()).await? {
            Ok(value) => {
                component.ready();
                return Some(value);
            }
            Err(error) => retry.failed(format!("{:#}", error.into())).await?,
        }
    }
}

fn report(
    repeats: &mut Repeats,
    component: &Component,
    reason: &str,
    attempt: u64,
    delay: Duration,
) {
    if repeats.is_due(reason, Instant::now()) {
        tracing::warn!(
            component = component.name(),
            attempt,
            next_attempt_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
            "not ready: {reason}"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::convert::Infallible;
    use std::io;

    use super::*;
    use crate::Readiness;

    const FIRST_DELAY: Duration = Backoff::START.first;
    const LONGEST_DELAY: Duration = Backoff::START.longest;

    fn refused() -> io::Error {
        io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused")
    }

    #[tokio::test(start_paused = true)]
    async fn tries_until_it_works_and_marks_the_component_ready() {
        let readiness = Readiness::default();
        let component = readiness.component("broker");
        let attempts = Cell::new(0);
        let stop = CancellationToken::new();
        let value = retry_until_ready(&component, &stop, || {
            attempts.set(attempts.get() + 1);
            assert!(!readiness.is_ready());
            let result = if attempts.get() < 30 {
                Err(refused())
            } else {
                Ok("connected")
            };
            std::future::ready(result)
        });
        assert_eq!(value.await, Some("connected"));
        assert_eq!(attempts.get(), 30);
        assert!(readiness.is_ready());
    }

    #[tokio::test(start_paused = true)]
    async fn the_reason_is_shown_while_it_waits_and_stop_ends_the_waiting() {
        let readiness = Readiness::default();
        let component = readiness.component("broker");
        let stop = CancellationToken::new();
        let retrying = retry_until_ready::<Infallible, _, _, _>(&component, &stop, async || {
            Err(anyhow::Error::new(refused()).context("cannot reach localhost:1"))
        });
        let watching = async {
            sleep(Duration::from_mins(1)).await;
            assert_eq!(
                readiness.not_ready()["broker"],
                "cannot reach localhost:1: connection refused"
            );
            stop.cancel();
        };
        let started = Instant::now();
        let (value, ()) = tokio::join!(retrying, watching);
        assert!(value.is_none());
        assert_eq!(started.elapsed(), Duration::from_mins(1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_hangs_is_dropped_when_the_service_stops() {
        let component = Readiness::default().component("broker");
        let stop = CancellationToken::new();
        let hanging = retry_until_ready(&component, &stop, std::future::pending::<io::Result<()>>);
        let (value, ()) = tokio::join!(hanging, async { stop.cancel() });
        assert!(value.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn delays_grow_to_ten_seconds_and_no_further() {
        let component = Readiness::default().component("broker");
        let times = std::cell::RefCell::new(Vec::new());
        let stop = CancellationToken::new();
        let retrying = retry_until_ready::<(), _, _, _>(&component, &stop, || {
            times.borrow_mut().push(Instant::now());
            if times.borrow().len() == 500 {
                stop.cancel();
            }
            std::future::ready(Err(refused()))
        });
        assert!(retrying.await.is_none());
        let times = times.into_inner();
        let delays: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let tick = Duration::from_millis(1); // Timers fire on whole milliseconds.
        assert!(delays[0] <= FIRST_DELAY + tick && delays[1] <= FIRST_DELAY * 2 + tick);
        assert!(delays.iter().all(|delay| *delay <= LONGEST_DELAY + tick));
        assert!(
            delays.iter().any(|delay| *delay > LONGEST_DELAY / 2),
            "they grow"
        );
        assert!(
            delays[10..].iter().any(|delay| *delay < LONGEST_DELAY / 2),
            "they are random"
        );
    }
}

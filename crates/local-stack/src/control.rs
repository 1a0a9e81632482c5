//! What the caller and a slow operation have to say to each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fmt, thread};

use anyhow::{Result, bail};

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Lets the caller give up on a slow operation, and hear about its slow steps. Clones are one.
#[derive(Clone)]
pub struct Control {
    cancelled: Arc<AtomicBool>,
    report: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Control {
    /// A control whose slow steps are told to `report`, one line each.
    #[must_use]
    pub fn new(report: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self {
            cancelled: Arc::default(),
            report: Arc::new(report),
        }
    }

    /// Makes every wait under this control end with an error soon.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
    }

    /// Whether [`Self::cancel`] was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// Fails once the control is cancelled.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() {
            bail!("interrupted");
        }
        Ok(())
    }

    /// Tells the caller what is being done.
    pub fn report(&self, line: &str) {
        (self.report)(line);
    }

    /// Repeats `attempt` until it has a value; `None` when `limit` has passed without one.
    pub fn poll<T>(
        &self,
        limit: Duration,
        mut attempt: impl FnMut() -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        let started = Instant::now();
        loop {
            self.check()?;
            if let Some(value) = attempt()? {
                return Ok(Some(value));
            }
            if started.elapsed() >= limit {
                return Ok(None);
            }
            thread::sleep(POLL_INTERVAL);
        }
    }
}

impl Default for Control {
    /// Never cancelled by anybody else, and silent.
    fn default() -> Self {
        Self::new(|_| {})
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cancelled_control_ends_a_wait() {
        let control = Control::default();
        control.cancel();
        let waited = control.poll(Duration::from_mins(1), || Ok(None::<()>));
        assert_eq!(waited.unwrap_err().to_string(), "interrupted");
    }

    #[test]
    fn a_wait_without_a_value_ends_after_its_limit() {
        let waited = Control::default().poll(Duration::ZERO, || Ok(None::<()>));
        assert!(waited.unwrap().is_none());
    }
}

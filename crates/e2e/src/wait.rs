//! Waiting for a condition instead of for a time.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::bail;

/// How long a condition may take to come true. Generous, because machines are slow at times; it is
/// only ever waited out when something is broken.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// Time between two looks.
const STEP: Duration = Duration::from_millis(50);

/// Waits until `look` finds something. The error says what was waited for, and what the last look
/// had to say.
pub async fn eventually<T, F, R>(what: &str, mut look: F) -> anyhow::Result<T>
where
    F: FnMut() -> R,
    R: Future<Output = anyhow::Result<Option<T>>>,
{
    let started = Instant::now();
    let mut last = String::from("not yet");
    while started.elapsed() < DEADLINE {
        match look().await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            Err(error) => last = format!("{error:#}"),
        }
        tokio::time::sleep(STEP).await;
    }
    bail!(
        "{what}: did not happen within {} s; last: {last}",
        DEADLINE.as_secs()
    )
}

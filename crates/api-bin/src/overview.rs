//! The overview, put together at most once a second however many ask.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::HeaderValue;
use chrono::Utc;
use monitor_core::metric::{Overview, OverviewWindow};
use monitor_store::{MetricDataProvider, StoreError};
use tokio::sync::Mutex;

use crate::etag;

/// How old an answer may be. Checks take longer than that on their way.
const FRESH: Duration = Duration::from_secs(1);
/// Most windows that are kept.
const WINDOWS: usize = 4;

/// An overview, and what it is as JSON.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) overview: Arc<Overview>,
    pub(crate) json: Bytes,
    pub(crate) tag: HeaderValue,
}

/// The last answer of a window, and when it was put together.
type Last = Arc<Mutex<Option<(Instant, Answer)>>>;

/// The last answers.
#[derive(Default)]
pub(crate) struct Overviews {
    /// The window that was asked for last comes first.
    windows: std::sync::Mutex<Vec<(OverviewWindow, Last)>>,
}

impl Overviews {
    /// How all sites are, and were over the window. Who asks while somebody else does waits for that
    /// answer.
    pub(crate) async fn get(
        &self,
        metrics: &MetricDataProvider,
        window: OverviewWindow,
    ) -> Result<Answer, StoreError> {
        let last = self.last(window);
        let mut last = last.lock().await;
        if let Some((at, answer)) = &*last
            && at.elapsed() < FRESH
        {
            return Ok(answer.clone());
        }
        let overview = metrics.overview(window, Utc::now()).await?;
        let json = Bytes::from(serde_json::to_vec(&overview).unwrap_or_default());
        let answer = Answer {
            overview: Arc::new(overview),
            tag: etag::of_bytes(&json),
            json,
        };
        *last = Some((Instant::now(), answer.clone()));
        Ok(answer)
    }

    fn last(&self, window: OverviewWindow) -> Last {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let known = windows.iter().position(|(known, _)| *known == window);
        let entry = known.map_or_else(|| (window, Last::default()), |index| windows.remove(index));
        let last = Arc::clone(&entry.1);
        windows.insert(0, entry);
        windows.truncate(WINDOWS);
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_windows_that_were_asked_for_lately_are_kept() {
        let overviews = Overviews::default();
        let window = |hours| OverviewWindow::hours(hours).unwrap();
        let first = overviews.last(window(1));
        assert!(Arc::ptr_eq(&first, &overviews.last(window(1))));
        for hours in 2..=u16::try_from(WINDOWS).unwrap() {
            overviews.last(window(hours));
            assert!(Arc::ptr_eq(&first, &overviews.last(window(1))), "{hours}");
        }
        (10..20).for_each(|hours| drop(overviews.last(window(hours))));
        assert!(!Arc::ptr_eq(&first, &overviews.last(window(1))));
    }
}

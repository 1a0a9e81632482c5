//! Asking about what is stored.

mod certificates;
mod checks;
mod days;
mod latest;
mod merge;
mod outages;
mod overview;
mod plan;
mod read;
mod scope;
mod snapshot;
mod summaries;
mod timelines;

use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::Mutex;

use self::overview::Kept;

/// Answers questions about the stored checks over a range of time.
///
/// - About a site, check by check: response times, status codes, content matches. They come in
///   pages, ordered by slot, then region; the next page begins after the last item of this one, so
///   that rows that come in meanwhile neither repeat nor hide any.
/// - About a site, the sites with a tag, or all, of a region or all: what their checks came to
///   ([`summary`](Self::summary)), also in buckets of time ([`series`](Self::series)). Such an answer
///   is put together from whole days and hours that are rolled up, and from single checks where there
///   are none. It is of one moment: what is stored meanwhile is in all of its parts or in none.
/// - About the same subjects: when they were down ([`outages`](Self::outages)).
/// - About all that is monitored: how it is ([`overview`](Self::overview)). What that has read of closed
///   hours is kept, and shared by the clones of a provider, until rollups change.
/// - About some sites: how their checks ended [day by day](Self::daily_outcomes), and what they came to
///   [step by step](Self::timelines).
/// - About certificates: [which end soon](Self::certificates_ending).
/// - About now: [the latest check of every site](Self::latest).
#[derive(Clone, Debug)]
pub struct MetricDataProvider {
    pool: PgPool,
    kept: Arc<Mutex<Kept>>,
}

impl MetricDataProvider {
    /// A provider that asks through `pool`.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self {
            pool,
            kept: Arc::default(),
        }
    }
}

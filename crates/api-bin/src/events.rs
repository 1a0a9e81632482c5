//! Following what is stored: one task asks the database, and tells all who listen.
//!
//! A listener who goes on from where it was reads what it has missed by itself, after the task has
//! looked once since it began to listen: so nothing lies between the two, though some may come twice.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use monitor_core::metric::StoredCheck;
use monitor_core::{Outcome, Region, SiteId};
use monitor_runtime::CancellationToken;
use monitor_store::feed::{self, FeedAnswer, FeedPage, FeedPosition};
use monitor_store::{Pool, StoreError};
use tokio::sync::{broadcast, watch};
use tokio::time::{MissedTickBehavior, interval};

/// How often the database is asked.
const PERIOD: Duration = Duration::from_millis(250);
/// About how many checks are read at a time.
const PORTION: u32 = 1_000;
/// How many portions a listener may be behind before it is sent away. They are kept once for all.
const BEHIND: usize = 32;

/// A check on its way to those who listen.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) site: SiteId,
    pub(crate) region: Region,
    pub(crate) outcome: Outcome,
    /// The check as JSON.
    pub(crate) json: Bytes,
}

/// What was stored together.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    /// Where to go on after it.
    pub(crate) position: String,
    pub(crate) checks: Vec<Told>,
}

/// What listeners are told.
#[derive(Clone, Debug)]
pub(crate) enum News {
    /// More was stored.
    Batches(Arc<Vec<Batch>>),
    /// Some may be missing: the database is not the one that it was.
    Gap,
}

/// Where the task and the listeners meet.
#[derive(Clone)]
pub(crate) struct Events {
    news: broadcast::Sender<News>,
    /// Changes each time that the database was asked.
    asked: watch::Sender<()>,
}

impl Default for Events {
    fn default() -> Self {
        let (news, _) = broadcast::channel(BEHIND);
        let (asked, _) = watch::channel(());
        Self { news, asked }
    }
}

impl Events {
    /// From now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    /// Waits until the database was asked once more: then all that listeners are told from now on, and
    /// all that is stored by now, leave nothing out.
    pub(crate) async fn asked_once_more(&self) {
        let mut asked = self.asked.subscribe();
        // Its other end is here: it does not go.
        drop(asked.changed().await);
    }

    /// Asks until `stop`. While nobody listens, only for where the end is.
    pub(crate) async fn follow(self, pool: Pool, stop: CancellationToken) -> anyhow::Result<()> {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut position = None;
        let mut failing = false;
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            match self.ask(&pool, &mut position).await {
                Ok(()) => failing = false,
                Err(error) if failing => tracing::debug!("events wait: {error}"),
                Err(error) => {
                    tracing::warn!("events wait until the database answers: {error}");
                    failing = true;
                }
            }
            metrics::gauge!("api_event_listeners")
                .set(u32::try_from(self.news.receiver_count()).unwrap_or(u32::MAX));
        }
        Ok(())
    }

    async fn ask(
        &self,
        pool: &Pool,
        position: &mut Option<FeedPosition>,
    ) -> Result<(), StoreError> {
        match position {
            Some(position) if self.news.receiver_count() > 0 => self.tell(pool, position).await?,
            position => *position = Some(feed::latest(pool).await?),
        }
        self.asked.send_replace(());
        Ok(())
    }

    /// Tells what was stored since, and goes on from there.
    async fn tell(&self, pool: &Pool, position: &mut FeedPosition) -> Result<(), StoreError> {
        loop {
            let FeedAnswer::Page(page) = feed::next(pool, position, PORTION).await? else {
                *position = feed::latest(pool).await?;
                self.send(News::Gap);
                return Ok(());
            };
            *position = page.next.clone();
            let more = page.more;
            if !page.batches.is_empty() {
                self.send(News::Batches(Arc::new(batches(page))));
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// Nobody may be listening any more.
    fn send(&self, news: News) {
        drop(self.news.send(news));
    }
}

/// The batches as they are told.
pub(crate) fn batches(page: FeedPage) -> Vec<Batch> {
    let batch = |batch: feed::StoredBatch| Batch {
        position: batch.position.to_string(),
        checks: batch.checks.iter().map(told).collect(),
    };
    page.batches.into_iter().map(batch).collect()
}

fn told(check: &StoredCheck) -> Told {
    Told {
        site: check.site_id,
        region: check.region.clone(),
        outcome: check.outcome,
        json: serde_json::to_vec(check).unwrap_or_default().into(),
    }
}

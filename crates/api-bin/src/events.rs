//! Following what is stored: one task asks the database, and tells all who listen.
//!
//! A listener who goes on from where it was reads what it has missed by itself, after the task has
//! looked once since it began to listen: so nothing lies between the two, though some may come twice.

use std::sync::Arc;
use std::time::Duration;

use monitor_core::metric::StoredCheck;
use monitor_core::{Outcome, Region, SiteId};
use monitor_runtime::CancellationToken;
use monitor_store::feed::{self, FeedAnswer, FeedPage, FeedPosition};
use monitor_store::{Pool, StoreError};
use tokio::sync::{broadcast, watch};
use tokio::time::{MissedTickBehavior, interval};

/// How often the database is asked.
const PERIOD: Duration = Duration::from_millis(250);
/// About how many checks are read at a time, and most of a portion.
const AT_ONCE: u32 = 1_000;
/// How many portions a listener may be behind before it is sent away. They are kept once for all, some
/// 700 KB each when they are full: more than the largest batches of a sink come to.
const BEHIND: usize = 64;

/// A check on its way to those who listen.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) site: SiteId,
    pub(crate) region: Region,
    pub(crate) outcome: Outcome,
    /// The check as JSON.
    pub(crate) json: String,
}

/// Some checks that were stored together.
#[derive(Clone, Debug)]
pub(crate) struct Portion {
    pub(crate) checks: Vec<Told>,
    /// Where to go on after them; `None` when more of the same batch follows.
    pub(crate) position: Option<FeedPosition>,
}

/// What listeners are told.
#[derive(Clone, Debug)]
pub(crate) enum News {
    /// More was stored.
    Portion(Arc<Portion>),
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
            let FeedAnswer::Page(page) = feed::next(pool, position, AT_ONCE).await? else {
                *position = feed::latest(pool).await?;
                self.send(News::Gap);
                return Ok(());
            };
            *position = page.next.clone();
            let more = page.more;
            for portion in portions(page) {
                self.send(News::Portion(Arc::new(portion)));
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

/// The checks of a page, divided so that nobody has to hold many of them.
pub(crate) fn portions(page: FeedPage) -> impl Iterator<Item = Portion> {
    page.batches.into_iter().flat_map(|batch| {
        let whole = batch.checks.chunks(AT_ONCE as usize);
        let mut portions: Vec<_> = whole.map(portion).collect();
        match portions.last_mut() {
            Some(last) => last.position = Some(batch.position),
            None => portions.push(Portion {
                checks: Vec::new(),
                position: Some(batch.position),
            }),
        }
        portions
    })
}

fn portion(checks: &[StoredCheck]) -> Portion {
    Portion {
        checks: checks.iter().map(told).collect(),
        position: None,
    }
}

fn told(check: &StoredCheck) -> Told {
    Told {
        site: check.site_id,
        region: check.region.clone(),
        outcome: check.outcome,
        json: serde_json::to_string(check).unwrap_or_default(),
    }
}

/// What was stored before somebody began to listen, read a portion at a time and no faster than they
/// take it.
pub(crate) struct Past {
    /// Everything up to here was told.
    position: FeedPosition,
    /// And so many portions of what comes after it.
    told: usize,
}

impl Past {
    pub(crate) fn after(position: FeedPosition) -> Self {
        Self { position, told: 0 }
    }

    /// The next portion, and whether there is more; `None` when the position says nothing any more.
    pub(crate) async fn next(
        &mut self,
        pool: &Pool,
    ) -> Result<Option<(Vec<Portion>, bool)>, StoreError> {
        let FeedAnswer::Page(page) = feed::next(pool, &self.position, AT_ONCE).await? else {
            return Ok(None);
        };
        let (next, more) = (page.next.clone(), page.more);
        let mut rest = portions(page).skip(self.told);
        let mut taken = Vec::new();
        let mut checks = 0;
        for portion in rest.by_ref() {
            checks += portion.checks.len();
            self.note(&portion);
            taken.push(portion);
            if checks >= AT_ONCE as usize {
                break;
            }
        }
        if rest.next().is_some() {
            return Ok(Some((taken, true)));
        }
        *self = Self::after(next);
        Ok(Some((taken, more)))
    }

    fn note(&mut self, portion: &Portion) {
        self.told += 1;
        if let Some(position) = &portion.position {
            *self = Self::after(position.clone());
        }
    }
}

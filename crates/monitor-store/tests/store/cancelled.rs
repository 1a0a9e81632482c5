//! Who gives up a question half way leaves nothing behind for whoever asks next.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use chrono::{DateTime, Utc};
use monitor_core::SiteId;
use monitor_core::metric::{OutageRequest, OverviewWindow, Sites, Subject, TimeRange};
use monitor_store::sites::{self, SiteFilter, SitePageRequest};
use monitor_store::{MetricDataProvider, feed};
use serde_json::json;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::task::yield_now;

use crate::sample::site;

/// Polls it so often, and then no more. Says whether it was done.
async fn given_up(asking: impl Future, polls: u32) -> bool {
    let mut asking = pin!(asking);
    for _ in 0..polls {
        let once = poll_fn(|context| Poll::Ready(asking.as_mut().poll(context).is_ready()));
        if once.await {
            return true;
        }
        yield_now().await;
    }
    false
}

/// Whether the next one to ask is in a transaction that somebody has left: time stands still there.
async fn is_in_transaction(pool: &PgPool) -> bool {
    let mut connection = pool.acquire().await.unwrap();
    let mut moments = Vec::<DateTime<Utc>>::new();
    for _ in 0..2 {
        let now = sqlx::query_scalar("SELECT now()");
        moments.push(now.fetch_one(&mut *connection).await.unwrap());
    }
    moments[0] == moments[1]
}

/// Gives it up after one poll, after two, and so on until it is done in time.
async fn leaves_nothing<F: Future>(pool: &PgPool, what: &str, ask: impl Fn() -> F) {
    for polls in 1.. {
        let done = given_up(ask(), polls).await;
        assert!(!is_in_transaction(pool).await, "{what}, {polls} polls");
        if done {
            break;
        }
    }
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn no_transaction_is_left_behind(pool: PgPool) {
    let options = pool.connect_options().as_ref().clone();
    // The next one to ask has no other connection.
    let one = PgPoolOptions::new().max_connections(1);
    let pool = &one.connect_with(options).await.unwrap();
    let config = site(&json!({"name": "a", "url": "http://x"}));
    sites::create(pool, &config).await.unwrap();
    let provider = &MetricDataProvider::new(pool.clone());
    let now = Utc::now();
    let range = TimeRange::new(now - chrono::TimeDelta::days(1), now).unwrap();
    let (site, all) = (Subject::of(Sites::One(SiteId(1))), Subject::of(Sites::All));
    let window = OverviewWindow::hours(24).unwrap();
    let request = OutageRequest::first(10);
    let (filter, page) = (SiteFilter::default(), SitePageRequest::first(10));
    let position = feed::oldest(pool).await.unwrap();

    leaves_nothing(pool, "a site", || provider.summary(&site, range)).await;
    leaves_nothing(pool, "all sites", || provider.summary(&all, range)).await;
    leaves_nothing(pool, "the overview", || provider.overview(window, now)).await;
    leaves_nothing(pool, "outages", || provider.outages(&all, range, &request)).await;
    leaves_nothing(pool, "a list", || sites::list(pool, &filter, &page, now)).await;
    leaves_nothing(pool, "a change", || {
        sites::replace(pool, SiteId(1), &config, None)
    })
    .await;
    leaves_nothing(pool, "the feed", || feed::next(pool, &position, 10)).await;
}

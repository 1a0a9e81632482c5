//! Checks as they are stored, as server-sent events.

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::get_with;
use axum::extract::State;
use axum::response::sse::Event;
use futures_util::stream::{self, StreamExt as _};
use monitor_core::{Outcome, Region, SiteId};
use monitor_store::feed::{self, FeedAnswer, FeedPosition};
use monitor_store::{Pool, StoreError, sites};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::answer::EventStream;
use crate::auth::Reader;
use crate::events::{Batch, News, Told, batches};
use crate::extract::{LastEventId, Query};
use crate::problem::{Kind, Problem};
use crate::state::Api;
use crate::wire::Outcomes;

/// About how many checks are read at a time for who goes on from where they were.
const PORTION: u32 = 1_000;

/// Which checks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
    /// Only checks of this site.
    site: Option<SiteId>,
    /// Only checks of sites that have this tag when the stream begins.
    tag: Option<String>,
    /// Only checks from this region.
    region: Option<Region>,
    /// Only checks that ended so: one or several outcomes, comma separated.
    outcome: Option<Outcomes>,
}

pub(super) fn routes() -> ApiRouter<Api> {
    ApiRouter::new().api_route(
        "/api/v1/events",
        get_with(events, |operation| {
            operation
                .id("followChecks")
                .summary("Checks as they are stored, as server-sent events.")
                .description(
                    "Events named `check` have a stored check as JSON. An event's `id` says where to go on: \
                     send it as `Last-Event-ID`, as browsers do, and nothing that was stored meanwhile is left \
                     out, for a day; some may come twice, each with the same `id` in its JSON. An event named \
                     `gap` says that some may be missing. Who reads too slowly is sent away, and goes on from \
                     where they were.",
                )
                .tag("checks")
        }),
    )
}

async fn events(
    _: Reader,
    State(api): State<Api>,
    LastEventId(last): LastEventId,
    Query(query): Query<EventsQuery>,
) -> Result<EventStream, Problem> {
    let Ok(place) = Arc::clone(&api.streams).try_acquire_owned() else {
        let detail =
            "There are as many streams as there may be (API_MAX_STREAMS): try again later.";
        return Err(Problem::new(Kind::Busy, detail).retry_after(10));
    };
    let filter = Filter::of(&api.pool, query).await?;
    let live = api.events.listen();
    let past = match last {
        Some(position) => {
            api.events.asked_once_more().await;
            Past::From(position)
        }
        None => Past::None,
    };
    let listener = Listener {
        live,
        past,
        pool: api.pool.clone(),
        filter,
        waiting: VecDeque::new(),
        _place: place,
    };
    let stream =
        stream::unfold(listener, Listener::next).take_until(api.stop.clone().cancelled_owned());
    Ok(EventStream::new(stream))
}

/// Which checks somebody wants.
struct Filter {
    sites: Option<HashSet<SiteId>>,
    region: Option<Region>,
    outcomes: Option<Vec<Outcome>>,
}

impl Filter {
    async fn of(pool: &Pool, query: EventsQuery) -> Result<Self, StoreError> {
        let mut sites: Option<HashSet<_>> = query.site.map(|site| HashSet::from([site]));
        if let Some(tag) = query.tag {
            let tagged = sites::tagged(pool, &tag).await?;
            let wanted = |site: &SiteId| sites.as_ref().is_none_or(|sites| sites.contains(site));
            sites = Some(tagged.into_iter().filter(wanted).collect());
        }
        let outcomes = query.outcome.map(|outcomes| outcomes.0);
        Ok(Self {
            sites,
            region: query.region,
            outcomes,
        })
    }

    fn lets_through(&self, check: &Told) -> bool {
        self.sites
            .as_ref()
            .is_none_or(|sites| sites.contains(&check.site))
            && self
                .region
                .as_ref()
                .is_none_or(|region| *region == check.region)
            && self
                .outcomes
                .as_ref()
                .is_none_or(|outcomes| outcomes.contains(&check.outcome))
    }
}

/// What was stored before somebody began to listen.
enum Past {
    /// It is not wanted, or was told.
    None,
    /// They know all up to here.
    From(FeedPosition),
}

/// Somebody who listens.
struct Listener {
    live: Receiver<News>,
    past: Past,
    pool: Pool,
    filter: Filter,
    waiting: VecDeque<Event>,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    /// The next event; the end for who is too slow, or when the past cannot be read: they come again,
    /// and go on from the last event that they got.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some((Ok(event), self));
            }
            match std::mem::replace(&mut self.past, Past::None) {
                Past::From(position) => self.read(&position).await.ok()?,
                Past::None => match self.live.recv().await {
                    Ok(News::Batches(batches)) => self.tell(&batches),
                    Ok(News::Gap) => self.waiting.push_back(gap()),
                    Err(RecvError::Lagged(_) | RecvError::Closed) => return None,
                },
            }
        }
    }

    async fn read(&mut self, position: &FeedPosition) -> Result<(), StoreError> {
        match feed::next(&self.pool, position, PORTION).await? {
            FeedAnswer::Page(page) => {
                if page.more {
                    self.past = Past::From(page.next.clone());
                }
                self.tell(&batches(page));
            }
            FeedAnswer::Expired { .. } => self.waiting.push_back(gap()),
        }
        Ok(())
    }

    fn tell(&mut self, batches: &[Batch]) {
        for batch in batches {
            let wanted = batch
                .checks
                .iter()
                .filter(|check| self.filter.lets_through(check));
            self.waiting.extend(wanted.map(event));
            // Without data it is no event, but says where to go on also when nothing was wanted.
            self.waiting.push_back(Event::default().id(&batch.position));
        }
    }
}

fn event(check: &Told) -> Event {
    let json = String::from_utf8_lossy(&check.json);
    Event::default().event("check").data(json)
}

fn gap() -> Event {
    let data = "some checks may be missing: ask for those that you need";
    Event::default().event("gap").data(data)
}

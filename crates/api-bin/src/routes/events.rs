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
use monitor_store::{Pool, StoreError, sites};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::answer::EventStream;
use crate::auth::Reader;
use crate::events::{News, Past, Portion, Told};
use crate::extract::{LastEventId, Query};
use crate::problem::{Kind, Problem};
use crate::state::Api;
use crate::wire::{Outcomes, Text};

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
    outcome: Option<Text<Outcomes>>,
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
    if last.is_some() {
        api.events.asked_once_more().await;
    }
    let listener = Listener {
        live,
        past: last.map(Past::after),
        pool: api.pool.clone(),
        filter,
        portions: VecDeque::new(),
        index: 0,
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
        let outcomes = query.outcome.map(|outcomes| outcomes.0.0);
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

/// Somebody who listens.
struct Listener {
    live: Receiver<News>,
    /// What they have missed, until they know it.
    past: Option<Past>,
    pool: Pool,
    filter: Filter,
    /// What is being told, from the check with this index on. They are shared, and each becomes an event
    /// only when it is sent.
    portions: VecDeque<Arc<Portion>>,
    index: usize,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    /// The next event; the end for who is too slow, or when the past cannot be read: they come again,
    /// and go on from the last event that they got.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if let Some(event) = self.of_portions() {
                return Some((Ok(event), self));
            }
            let gap = match self.past.take() {
                Some(past) => self.read(past).await.ok()?,
                None => self.hear().await?,
            };
            if gap {
                return Some((Ok(self::gap()), self));
            }
        }
    }

    /// The next event of what there is to tell.
    fn of_portions(&mut self) -> Option<Event> {
        loop {
            let portion = self.portions.front()?;
            let rest = portion.checks.get(self.index..).unwrap_or_default();
            if let Some(skipped) = rest
                .iter()
                .position(|check| self.filter.lets_through(check))
            {
                self.index += skipped + 1;
                return Some(event(&rest[skipped]));
            }
            let portion = self.portions.pop_front()?;
            self.index = 0;
            if let Some(position) = &portion.position {
                // Without data it is no event, but says where to go on also when nothing was wanted.
                return Some(Event::default().id(position.to_string()));
            }
        }
    }

    /// Whether something is missing.
    async fn read(&mut self, mut past: Past) -> Result<bool, StoreError> {
        let Some((portions, more)) = past.next(&self.pool).await? else {
            return Ok(true);
        };
        self.portions.extend(portions.into_iter().map(Arc::new));
        self.past = more.then_some(past);
        Ok(false)
    }

    /// The same; `None` for who is too slow.
    async fn hear(&mut self) -> Option<bool> {
        match self.live.recv().await {
            Ok(News::Portion(portion)) => self.portions.push_back(portion),
            Ok(News::Gap) => return Some(true),
            Err(RecvError::Lagged(_) | RecvError::Closed) => return None,
        }
        Some(false)
    }
}

fn event(check: &Told) -> Event {
    Event::default().event("check").data(&check.json)
}

fn gap() -> Event {
    let data = "some checks may be missing: ask for those that you need";
    Event::default().event("gap").data(data)
}

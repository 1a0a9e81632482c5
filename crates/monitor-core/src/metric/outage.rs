//! When sites were down.

mod merge;

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::merge::{RegionalOutage, merge};
use crate::failure::Failure;
use crate::region::Region;
use crate::site::SiteId;

/// Largest page of outages.
const MAX_LIMIT: u32 = 1_000;

/// A time during which a site was down: from the first check that was down, in any region, until it is
/// down in no region any more.
///
/// A region sees a site down until a check finds it available again. Checks that were missed or had an
/// error tell nothing of a site, so they neither begin nor end an outage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Outage {
    /// The site.
    #[serde(rename = "site_id")]
    pub site: SiteId,
    /// Its name; `None` when it is not monitored any more.
    pub name: Option<String>,
    /// The slot of the first check that was down.
    pub started_at: DateTime<Utc>,
    /// The slot of the check that found it available where it had been down last; `None` while there
    /// is none.
    pub ended_at: Option<DateTime<Utc>>,
    /// How exactly both are known.
    pub precision: Precision,
    /// What the first check saw; `None` when that check is gone.
    pub cause: Option<Cause>,
    /// Where it was down, by name.
    pub regions: Vec<RegionOutage>,
}

/// When a site was down in one of the regions, within an [`Outage`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RegionOutage {
    /// Where it was checked from.
    pub region: Region,
    /// When it began to be down there.
    pub started_at: DateTime<Utc>,
    /// When it was available again there, and stayed so until the outage was over; `None` while it
    /// is not.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Why a site was down, as its first check saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cause {
    /// Where it was checked from.
    pub region: Region,
    /// Kind, phase and one line for people.
    pub failure: Failure,
    /// Of the last response; `None` when there was none.
    pub status_code: Option<u16>,
    /// Most sites of that checker had begun to fail at once: its own network is the likelier cause.
    pub suspect: bool,
}

/// How exactly it is known when an outage began and ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// To the check.
    Check,
    /// Checks of its time are gone. Known is of each hour whether any check was down: it began in the
    /// hour that is named, and all hours up to its end had some.
    Hour,
}

/// Which outages to answer with: the latest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutageRequest {
    limit: u32,
    /// Those after this one; `None` is the latest.
    pub after: Option<OutageCursor>,
}

impl OutageRequest {
    /// The latest, up to `limit` of them (1 to 1 000; what is outside is moved inside).
    #[must_use]
    pub fn first(limit: u32) -> Self {
        Self {
            limit: limit.clamp(1, MAX_LIMIT),
            after: None,
        }
    }

    /// As many of those that come after `cursor`.
    #[must_use]
    pub fn after(&self, cursor: OutageCursor) -> Self {
        Self {
            limit: self.limit,
            after: Some(cursor),
        }
    }

    /// Most outages that the answer may have.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit
    }
}

/// Where an answer goes on: after this outage. They are ordered by their begin, the latest first, then
/// by site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutageCursor {
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// Whose it is.
    pub site: SiteId,
}

impl OutageCursor {
    /// Whether an outage comes after this one.
    #[must_use]
    pub fn is_before(&self, outage: &Outage) -> bool {
        let order = |started_at, site| (Reverse(started_at), site);
        order(self.started_at, self.site) < order(outage.started_at, outage.site)
    }
}

/// Some outages, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Outages {
    /// The latest first.
    pub items: Vec<Outage>,
    /// `None` when there are no more.
    pub next: Option<OutageCursor>,
}

impl Outages {
    /// The first of these outages in order, at most as many as the request allows; the others are left
    /// for the next answer.
    #[must_use]
    pub fn page(request: &OutageRequest, mut found: Vec<Outage>) -> Self {
        if let Some(cursor) = request.after {
            found.retain(|outage| cursor.is_before(outage));
        }
        found.sort_by_key(|outage| (Reverse(outage.started_at), outage.site));
        let limit = usize::try_from(request.limit()).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more);
        let next = last.map(|outage| OutageCursor {
            started_at: outage.started_at,
            site: outage.site,
        });
        Self { items: found, next }
    }
}

#[cfg(test)]
mod tests;

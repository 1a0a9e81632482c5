//! How all sites are, at a glance.

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::range::{InvalidRange, TimeRange};
use super::state::{RegionState, SiteState, judge};
use super::summary::OutcomeCounts;
use crate::region::Region;
use crate::site::SiteId;

/// Longest window, in hours: 90 days.
const MAX_HOURS: u16 = 90 * 24;
/// The time that an overview looks back over, in whole hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OverviewWindow(u16);

/// A window that is too short or too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a window of {0} hours: use 1 to {MAX_HOURS}, which is 90 days")]
pub struct InvalidWindow(pub u16);

impl OverviewWindow {
    /// So many hours, 1 to 2 160.
    pub fn hours(hours: u16) -> Result<Self, InvalidWindow> {
        if (1..=MAX_HOURS).contains(&hours) {
            Ok(Self(hours))
        } else {
            Err(InvalidWindow(hours))
        }
    }

    pub(super) fn length(self) -> TimeDelta {
        TimeDelta::hours(self.0.into())
    }

    /// So many hours before the one that `now` is in, and that one up to `now`.
    pub fn up_to(self, now: DateTime<Utc>) -> Result<TimeRange, InvalidRange> {
        let hour = now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now);
        TimeRange::new(hour - self.length(), now)
    }
}

/// All monitored sites: how they are, and what their checks came to in `from ≤ t < to`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Overview {
    /// First instant of the window: the begin of an hour.
    pub from: DateTime<Utc>,
    /// First instant after it, and the one that states are of.
    pub to: DateTime<Utc>,
    /// All sites together.
    pub fleet: FleetOverview,
    /// Each site, by name.
    pub sites: Vec<SiteOverview>,
}

/// All monitored sites together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct FleetOverview {
    /// How many sites are in each state.
    pub states: StateCounts,
    /// How their checks ended in the window.
    pub outcomes: OutcomeCounts,
    /// Share of available checks among those with a verdict; `None` when there are none.
    pub uptime: Option<f64>,
    /// Share of checks with a verdict among all that were due; `None` when none were.
    pub coverage: Option<f64>,
    /// Each region that checks a site that is enabled, by name.
    pub regions: Vec<RegionOverview>,
}

/// What is heard from a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RegionOverview {
    /// Its name.
    pub region: Region,
    /// How many sites it checks that are enabled.
    pub sites: u64,
    /// How many of them are stale there. When these are all, its checkers are the likelier cause.
    pub stale: u64,
    /// The latest slot that has a result from there.
    pub latest_at: DateTime<Utc>,
}

/// How many sites are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StateCounts {
    /// Down in a region.
    pub down: u64,
    /// Degraded in a region, and down in none.
    pub degraded: u64,
    /// Up in every region that has told lately.
    pub up: u64,
    /// Without a verdict lately.
    pub stale: u64,
    /// Without a verdict yet.
    pub unknown: u64,
    /// Not checked.
    pub disabled: u64,
}

/// A monitored site.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SiteOverview {
    /// Which.
    #[serde(rename = "site_id")]
    pub site: SiteId,
    /// Its name.
    pub name: String,
    /// What is checked, without the query, which may hold a secret.
    pub url: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether it is checked.
    pub enabled: bool,
    /// Time between two checks.
    pub interval_ms: u64,
    /// How it is.
    pub state: SiteState,
    /// Since when it has been available, or not; of a stale one, when the last verdict was.
    pub since: Option<DateTime<Utc>>,
    /// How it is in each region that it was ever checked from, of those that check it now; by name.
    pub regions: Vec<RegionState>,
    /// How its checks ended in the window.
    pub outcomes: OutcomeCounts,
    /// Share of available checks among those with a verdict; `None` when there are none.
    pub uptime: Option<f64>,
    /// Share of checks with a verdict among all that were due; `None` when none were.
    pub coverage: Option<f64>,
    /// Half of the available checks took no longer, within 2.5 %.
    pub p50_us: Option<f64>,
    /// 95 % of the available checks took no longer, within 2.5 %.
    pub p95_us: Option<f64>,
}

impl SiteOverview {
    /// Takes over how the site is from its regions.
    pub fn judge(&mut self) {
        (self.state, self.since) = judge(self.enabled, &self.regions);
    }
}

impl FleetOverview {
    /// What these sites are together.
    #[must_use]
    pub fn of(sites: &[SiteOverview]) -> Self {
        let mut fleet = Self::default();
        for site in sites {
            fleet.states.count(site.state);
            fleet.outcomes += site.outcomes;
            if site.enabled {
                site.regions.iter().for_each(|told| fleet.hear(told));
            }
        }
        fleet.uptime = fleet.outcomes.uptime();
        fleet.coverage = fleet.outcomes.coverage();
        fleet
    }

    fn hear(&mut self, told: &RegionState) {
        let known = self
            .regions
            .binary_search_by(|one| one.region.cmp(&told.region));
        let index = known.unwrap_or_else(|index| {
            let region = RegionOverview {
                region: told.region.clone(),
                sites: 0,
                stale: 0,
                latest_at: told.scheduled_at,
            };
            self.regions.insert(index, region);
            index
        });
        let region = &mut self.regions[index];
        region.sites += 1;
        region.stale += u64::from(told.state == SiteState::Stale);
        region.latest_at = region.latest_at.max(told.scheduled_at);
    }
}

impl StateCounts {
    fn count(&mut self, state: SiteState) {
        *match state {
            SiteState::Down => &mut self.down,
            SiteState::Degraded => &mut self.degraded,
            SiteState::Up => &mut self.up,
            SiteState::Stale => &mut self.stale,
            SiteState::Unknown => &mut self.unknown,
            SiteState::Disabled => &mut self.disabled,
        } += 1;
    }
}

#[cfg(test)]
mod tests;

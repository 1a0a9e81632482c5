//! What a page tells, as far as it may be told to everybody.

use std::collections::HashMap;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use monitor_core::SiteId;
use monitor_core::metric::{
    DailyOutcomes, Outages, OutcomeCounts, Precision, SiteOverview, SiteState,
};

/// How many days of each site are shown, today included.
pub(super) const DAYS: u64 = 90;
/// How far outages are listed back.
pub(super) const OUTAGES_FROM: TimeDelta = TimeDelta::days(14);
/// Most outages that are listed.
pub(super) const MAX_OUTAGES: u32 = 200;
/// Most sites that are shown; all are counted.
const MAX_SITES: usize = 500;

/// How some sites are and were.
#[derive(Debug)]
pub(super) struct Report {
    /// The moment that it is about.
    pub(super) at: DateTime<Utc>,
    /// The sites, by name.
    pub(super) sites: Vec<SiteReport>,
    /// How many more there are.
    pub(super) more_sites: usize,
    /// How many are in each state that matters.
    pub(super) counts: Counts,
    /// Outages that are over, or whose end is not known; the latest first.
    pub(super) outages: Vec<PastOutage>,
    /// Whether there were more than are listed.
    pub(super) more_outages: bool,
}

/// How many sites there are, but for those that are not checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) all: usize,
    pub(super) down: usize,
    pub(super) degraded: usize,
    pub(super) unknown: usize,
}

/// What they are together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The worst that is known of one.
    pub(super) state: SiteState,
    pub(super) counts: Counts,
}

/// A site.
#[derive(Debug)]
pub(super) struct SiteReport {
    pub(super) id: SiteId,
    pub(super) name: String,
    pub(super) state: SiteState,
    /// Since when it has been available, or not; of a stale one, when the last verdict was.
    pub(super) since: Option<DateTime<Utc>>,
    /// Each day, today last.
    pub(super) days: Vec<Day>,
    /// Of all these days.
    pub(super) uptime: Option<f64>,
}

/// A day of a site.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day {
    pub(super) date: NaiveDate,
    pub(super) uptime: Option<f64>,
    pub(super) coverage: Option<f64>,
}

/// A time during which a site was down.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PastOutage {
    pub(super) name: String,
    pub(super) started_at: DateTime<Utc>,
    /// `None` when nobody has looked since.
    pub(super) ended_at: Option<DateTime<Utc>>,
    pub(super) precision: Precision,
}

/// The first of the days that are shown.
pub(super) fn first_day(now: DateTime<Utc>) -> NaiveDate {
    now.date_naive() - Days::new(DAYS - 1)
}

impl Report {
    pub(super) fn of(
        at: DateTime<Utc>,
        sites: &[&SiteOverview],
        days: &[DailyOutcomes],
        outages: Outages,
    ) -> Self {
        let mut by_day = HashMap::new();
        for told in days {
            by_day.insert((told.site, told.day), told.outcomes);
        }
        let shown = sites.iter().take(MAX_SITES);
        Self {
            at,
            sites: shown
                .map(|site| SiteReport::of(site, &by_day, at))
                .collect(),
            more_sites: sites.len().saturating_sub(MAX_SITES),
            counts: Counts::of(sites),
            more_outages: outages.next.is_some(),
            outages: past(sites, outages),
        }
    }

    /// Those that are down, the one that has been for longest first.
    pub(super) fn down(&self) -> Vec<&SiteReport> {
        let sites = self.sites.iter();
        let mut down: Vec<_> = sites.filter(|site| site.state == SiteState::Down).collect();
        down.sort_by_key(|site| site.since);
        down
    }

    pub(super) fn verdict(&self) -> Verdict {
        let counts = self.counts;
        let state = match counts {
            Counts { all: 0, .. } => SiteState::Disabled,
            Counts { down: 1.., .. } => SiteState::Down,
            Counts { degraded: 1.., .. } => SiteState::Degraded,
            Counts { unknown: 1.., .. } => SiteState::Unknown,
            _ => SiteState::Up,
        };
        Verdict { state, counts }
    }
}

impl Counts {
    fn of(sites: &[&SiteOverview]) -> Self {
        let mut counts = Self::default();
        for site in sites {
            match site.state {
                SiteState::Disabled => continue,
                SiteState::Down => counts.down += 1,
                SiteState::Degraded => counts.degraded += 1,
                SiteState::Stale | SiteState::Unknown => counts.unknown += 1,
                SiteState::Up => {}
            }
            counts.all += 1;
        }
        counts
    }
}

impl SiteReport {
    fn of(
        site: &SiteOverview,
        by_day: &HashMap<(SiteId, NaiveDate), OutcomeCounts>,
        now: DateTime<Utc>,
    ) -> Self {
        let mut whole = OutcomeCounts::default();
        let days = first_day(now).iter_days();
        let days = days.take_while(|date| *date <= now.date_naive());
        let days = days.map(|date| {
            let outcomes = by_day.get(&(site.site, date)).copied().unwrap_or_default();
            whole += outcomes;
            Day {
                date,
                uptime: outcomes.uptime(),
                coverage: outcomes.coverage(),
            }
        });
        Self {
            id: site.site,
            days: days.collect(),
            name: site.name.clone(),
            state: site.state,
            since: site.since,
            uptime: whole.uptime(),
        }
    }
}

/// Outages of these sites, but those that last: they are shown apart.
fn past(sites: &[&SiteOverview], outages: Outages) -> Vec<PastOutage> {
    let sites: HashMap<_, _> = sites.iter().map(|site| (site.site, site)).collect();
    let outages = outages.items.into_iter().filter_map(|outage| {
        let site = sites.get(&outage.site)?;
        let lasts = outage.ended_at.is_none() && site.state == SiteState::Down;
        (!lasts).then(|| PastOutage {
            name: site.name.clone(),
            started_at: outage.started_at,
            ended_at: outage.ended_at,
            precision: outage.precision,
        })
    });
    outages.collect()
}

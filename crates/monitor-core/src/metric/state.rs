//! How a site is now.

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::event::Warning;
use crate::failure::{Failure, Outcome};
use crate::region::Region;

/// A site whose last verdict is older than so many intervals, its timeout and [`MARGIN`] is stale.
const INTERVALS: i32 = 3;
/// How long a result may be on its way.
const MARGIN: TimeDelta = TimeDelta::minutes(1);

/// How a site is.
///
/// In the order of how much it matters: a site is as the worst of its regions. One that has not told
/// lately tells of a site only when none has.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SiteState {
    /// Its latest verdict is `down`.
    Down,
    /// Its latest verdict is `degraded`.
    Degraded,
    /// Its latest verdict is `up`.
    Up,
    /// There was a verdict, but none for three intervals, the timeout and a minute.
    Stale,
    /// There was no verdict yet.
    Unknown,
    /// It is not checked.
    Disabled,
}

/// How a site is in one region.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RegionState {
    /// Where it is checked from.
    pub region: Region,
    /// How it is there.
    pub state: SiteState,
    /// Since when it has been available, or not; of a stale one, when the last verdict was.
    pub since: Option<DateTime<Utc>>,
    /// The latest slot that has a result. What follows is of this one.
    pub scheduled_at: DateTime<Utc>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it was `down`, `missed` or `error`.
    pub failure: Option<Failure>,
    /// Why it was `degraded`; left out of JSON when it was not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// Of the last response; `None` when there was none.
    pub status_code: Option<u16>,
    /// How long it took.
    pub total_us: Option<u32>,
    /// The latest outcome that tells something of the site.
    pub last_verdict: Option<Outcome>,
    /// When that was due.
    pub last_verdict_at: Option<DateTime<Utc>>,
    /// When the certificate ends that was seen last.
    pub cert_not_after: Option<DateTime<Utc>>,
}

/// How a site is whose last verdict was this one, then, when it was looked at every `interval`.
#[must_use]
pub fn state(
    verdict: Option<(Outcome, DateTime<Utc>)>,
    now: DateTime<Utc>,
    interval: TimeDelta,
    timeout: TimeDelta,
) -> SiteState {
    let Some((verdict, at)) = verdict else {
        return SiteState::Unknown;
    };
    if at < now - (interval * INTERVALS + timeout + MARGIN) {
        return SiteState::Stale;
    }
    match verdict {
        Outcome::Up => SiteState::Up,
        Outcome::Degraded => SiteState::Degraded,
        Outcome::Down => SiteState::Down,
        Outcome::Missed | Outcome::Error => SiteState::Unknown,
    }
}

/// How a site is, as its regions tell.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Judgement {
    /// How it is.
    pub state: SiteState,
    /// Since when it has been available, or not; of a stale one, when the last verdict was.
    pub since: Option<DateTime<Utc>>,
    /// How it is in each region that it was ever checked from, of those that check it now; by name.
    pub regions: Vec<RegionState>,
}

impl Judgement {
    /// What these regions come to. A site that is not enabled is not checked, whatever was seen of it
    /// before.
    #[must_use]
    pub fn of(enabled: bool, regions: Vec<RegionState>) -> Self {
        let (state, since) = judge(enabled, &regions);
        Self {
            state,
            since,
            regions,
        }
    }
}

pub(super) fn judge(enabled: bool, regions: &[RegionState]) -> (SiteState, Option<DateTime<Utc>>) {
    let worst = regions.iter().min_by_key(|told| {
        // Of those that are alike, the one that has been so for longest.
        (told.state, told.since)
    });
    let state = match worst {
        _ if !enabled => SiteState::Disabled,
        Some(worst) => worst.state,
        None => SiteState::Unknown,
    };
    (state, worst.and_then(|worst| worst.since))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: TimeDelta = TimeDelta::minutes(1);
    const TEN_SECONDS: TimeDelta = TimeDelta::seconds(10);

    fn now() -> DateTime<Utc> {
        "2026-01-05T10:40:00Z".parse().unwrap()
    }

    #[test]
    fn a_verdict_holds_for_a_while() {
        let ago = |seconds| {
            let at = now() - TimeDelta::seconds(seconds);
            state(Some((Outcome::Down, at)), now(), MINUTE, TEN_SECONDS)
        };
        assert_eq!(ago(250), SiteState::Down);
        assert_eq!(ago(251), SiteState::Stale);
        assert_eq!(state(None, now(), MINUTE, TEN_SECONDS), SiteState::Unknown);
    }

    fn region(name: &str, state: SiteState, minutes: i64) -> RegionState {
        let since = now() - TimeDelta::minutes(minutes);
        RegionState {
            region: name.parse().unwrap(),
            state,
            since: Some(since),
            scheduled_at: since,
            outcome: Outcome::Up,
            failure: None,
            warnings: Vec::new(),
            status_code: None,
            total_us: None,
            last_verdict: None,
            last_verdict_at: None,
            cert_not_after: None,
        }
    }

    #[test]
    fn a_site_is_as_the_worst_of_the_regions_that_have_told_lately() {
        let judged = |regions: &[RegionState]| {
            let Judgement { state, since, .. } = Judgement::of(true, regions.to_vec());
            (state, since.map(|since| (now() - since).num_minutes()))
        };
        let up = region("us", SiteState::Up, 1);
        let stale = region("ap", SiteState::Stale, 9);
        let downs = [
            region("eu", SiteState::Down, 2),
            region("us", SiteState::Down, 5),
        ];
        assert_eq!(judged(&downs), (SiteState::Down, Some(5)));
        assert_eq!(judged(&[stale.clone(), up]), (SiteState::Up, Some(1)));
        assert_eq!(judged(&[stale]), (SiteState::Stale, Some(9)));
        assert_eq!(judged(&[]), (SiteState::Unknown, None));
    }

    #[test]
    fn a_site_that_is_not_checked_is_not_what_it_was() {
        let down = region("eu", SiteState::Down, 2);
        let judged = Judgement::of(false, vec![down.clone()]);
        assert_eq!(judged.state, SiteState::Disabled);
        assert_eq!((judged.since, judged.regions), (down.since, vec![down]));
    }
}

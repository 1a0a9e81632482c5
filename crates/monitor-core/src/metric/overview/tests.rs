use super::*;
use crate::failure::Outcome;

fn now() -> DateTime<Utc> {
    "2026-01-05T10:40:00Z".parse().unwrap()
}

#[test]
fn a_window_is_of_whole_hours_and_the_running_one() {
    let range = OverviewWindow::hours(24).unwrap().up_to(now()).unwrap();
    assert_eq!(range.from(), now() - TimeDelta::minutes(24 * 60 + 40));
    assert_eq!(range.to(), now());
    let whole = now() + TimeDelta::minutes(20);
    let range = OverviewWindow::hours(1).unwrap().up_to(whole).unwrap();
    assert_eq!(range.to() - range.from(), TimeDelta::hours(1));
    assert!(OverviewWindow::hours(MAX_HOURS).is_ok());
    for hours in [0, MAX_HOURS + 1] {
        assert_eq!(OverviewWindow::hours(hours), Err(InvalidWindow(hours)));
    }
}

fn region(name: &str, state: SiteState, minutes: i64) -> RegionState {
    RegionState {
        region: name.parse().unwrap(),
        state,
        since: Some(now() - TimeDelta::minutes(minutes)),
        scheduled_at: now() - TimeDelta::minutes(minutes),
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

fn site(enabled: bool, regions: Vec<RegionState>) -> SiteOverview {
    let mut site = SiteOverview {
        site: SiteId(1),
        name: "a".to_owned(),
        url: "http://a/".to_owned(),
        tags: Vec::new(),
        enabled,
        interval_ms: 60_000,
        state: SiteState::Unknown,
        since: None,
        regions,
        outcomes: OutcomeCounts {
            up: 3,
            down: 1,
            ..OutcomeCounts::default()
        },
        uptime: None,
        coverage: None,
        p50_us: None,
        p95_us: None,
    };
    site.judge();
    site
}

#[test]
fn the_fleet_is_the_sum_of_its_sites_and_names_regions_that_are_silent() {
    let sites = [
        site(
            true,
            vec![
                region("eu", SiteState::Stale, 7),
                region("us", SiteState::Up, 1),
            ],
        ),
        site(true, vec![region("eu", SiteState::Stale, 6)]),
        site(false, vec![region("ap", SiteState::Down, 1)]),
    ];
    let fleet = FleetOverview::of(&sites);
    let states = StateCounts {
        up: 1,
        stale: 1,
        disabled: 1,
        ..StateCounts::default()
    };
    assert_eq!(fleet.states, states);
    assert_eq!((fleet.outcomes.up, fleet.outcomes.down), (9, 3));
    assert_eq!((fleet.uptime, fleet.coverage), (Some(0.75), Some(1.0)));
    let heard = fleet.regions.iter();
    let heard: Vec<_> = heard
        .map(|heard| {
            let minutes = (now() - heard.latest_at).num_minutes();
            (heard.region.as_str(), heard.sites, heard.stale, minutes)
        })
        .collect();
    assert_eq!(heard, [("eu", 2, 2, 6), ("us", 1, 0, 1)]);
}

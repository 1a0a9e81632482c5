use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::SiteId;
use monitor_core::metric::{
    DailyOutcomes, Outage, OutageCursor, Outages, OutcomeCounts, Precision, SiteOverview, SiteState,
};
use url::Url;

use super::badges::Badges;
use super::document::Frame;
use super::page::{Link, late, list, now};
use super::report::{Report, first_day};

const FRAME: Frame<'_> = Frame {
    title: "Status",
    tag: None,
    badges: None,
};

fn moment() -> DateTime<Utc> {
    "2026-03-09T10:30:00Z".parse().unwrap()
}

fn site(id: i64, name: &str, state: SiteState) -> SiteOverview {
    SiteOverview {
        site: SiteId(id),
        name: name.to_owned(),
        url: "https://canary-of-a-url/".to_owned(),
        tags: vec!["canary-of-a-tag".to_owned()],
        enabled: state != SiteState::Disabled,
        interval_ms: 60_000,
        state,
        since: Some(moment() - TimeDelta::minutes(75)),
        regions: Vec::new(),
        outcomes: OutcomeCounts::default(),
        uptime: None,
        coverage: None,
        p50_us: None,
        p95_us: None,
    }
}

fn day(site: i64, ago: i64, [up, down, missed]: [u64; 3]) -> DailyOutcomes {
    DailyOutcomes {
        site: SiteId(site),
        day: (moment() - TimeDelta::days(ago)).date_naive(),
        outcomes: OutcomeCounts {
            up,
            down,
            missed,
            ..OutcomeCounts::default()
        },
    }
}

fn outage(site: i64, begin: i64, end: Option<i64>) -> Outage {
    Outage {
        site: SiteId(site),
        name: None,
        started_at: moment() - TimeDelta::minutes(begin),
        ended_at: end.map(|end| moment() - TimeDelta::minutes(end)),
        precision: Precision::Check,
        cause: None,
        regions: Vec::new(),
    }
}

fn report(sites: &[SiteOverview], days: &[DailyOutcomes], outages: Vec<Outage>) -> Report {
    let sites: Vec<_> = sites.iter().collect();
    let outages = Outages {
        items: outages,
        next: None,
    };
    Report::of(moment(), &sites, days, outages)
}

#[test]
fn whatever_a_site_is_called_it_stays_a_text() {
    let name = "</style></title><script>alert(\"1\")</script>' onload='x' &amp;";
    let outages = vec![outage(1, 500, Some(400))];
    let days = [day(1, 3, [1, 1, 0])];
    let report = report(&[site(1, name, SiteState::Down)], &days, outages);
    let badges = Badges::at(None);
    let frame = Frame {
        title: name,
        tag: Some(name),
        badges: Some(&badges),
    };
    let link = Link {
        tag: name,
        verdict: None,
    };
    for page in [
        now(&frame, &report),
        late(&frame, &report, moment()),
        list(name, [link].into_iter(), moment()),
    ] {
        assert!(!page.contains("<script"), "{page}");
        assert_eq!(page.matches("</style>").count(), 1);
        assert!(page.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;"));
        // Of attributes, the double quote is the end.
        assert!(!page.contains("alert(\""), "{page}");
        assert!(page.contains("&amp;amp;"));
    }
}

#[test]
fn days_that_are_not_known_are_not_shown_as_up() {
    let days = [
        day(1, 0, [10, 0, 0]),
        day(1, 1, [0, 0, 10]),
        day(1, 2, [995, 5, 0]),
        day(1, 3, [50, 50, 100]),
    ];
    let page = now(
        &FRAME,
        &report(&[site(1, "shop", SiteState::Up)], &days, Vec::new()),
    );
    for (class, title) in [
        ("u", "9 Mar 2026: 100% uptime, 100% coverage"),
        ("n", "8 Mar 2026: not known, 0% coverage"),
        ("w", "7 Mar 2026: 99.5% uptime, 100% coverage"),
        ("d", "6 Mar 2026: 50% uptime, 50% coverage"),
        ("n", "5 Mar 2026: not known, not checked"),
        ("n", "10 Dec 2025: not known, not checked"),
    ] {
        let bars = page.split("<path class=\"");
        let mut told = bars.filter(|bar| bar.contains(&format!("<title>{title}</title>")));
        let bar = told.next().unwrap_or_else(|| panic!("no {title}"));
        assert!(bar.starts_with(&format!("{class}\"")), "{bar}");
    }
    assert_eq!(page.matches("<title>").count(), 90 + 1);
    assert!(page.contains("1 up all day, 2 with some downtime, 87 not known"));
    assert!(page.contains("Days with downtime (2)"));
    assert_eq!(first_day(moment()).to_string(), "2025-12-10");
}

#[test]
fn a_page_without_sites_says_so() {
    let page = now(&FRAME, &report(&[], &[], Vec::new()));
    assert!(page.contains("No sites are monitored here"));
    assert!(page.contains("There are no sites to show."));
    assert!(page.contains("<p class=\"card\">None.</p>"));
}

#[test]
fn an_outage_that_lasts_is_told_apart_from_those_that_are_over() {
    let sites = [
        site(1, "shop", SiteState::Down),
        site(2, "search", SiteState::Stale),
    ];
    let outages = vec![
        outage(1, 75, None),
        outage(1, 700, Some(570)),
        outage(2, 90, None),
        outage(9, 90, None),
    ];
    let report = report(&sites, &[], outages);
    assert_eq!(report.outages.len(), 2, "{report:?}");
    let page = now(&FRAME, &report);
    for told in [
        "1 of 2 sites is down",
        "down since <time datetime=\"2026-03-09T09:15:00Z\">9 Mar 2026, 09:15 UTC</time>, for 1 h 15 min",
        // It began the day before it ended.
        "22:50 UTC</time> to <time datetime=\"2026-03-09T01:00:00Z\">9 Mar 2026, 01:00 UTC</time>, 2 h 10 min",
        "09:00 UTC</time>, end not known",
        "No recent results",
    ] {
        assert!(page.contains(told), "no {told} in {page}");
    }
}

#[test]
fn what_is_not_for_everybody_is_not_on_the_page() {
    let mut outage = outage(1, 75, Some(70));
    outage.name = Some("canary-of-an-old-name".to_owned());
    let page = now(
        &FRAME,
        &report(&[site(1, "shop", SiteState::Down)], &[], vec![outage]),
    );
    assert!(page.contains("shop") && !page.contains("canary"), "{page}");
}

#[test]
fn badges_are_offered_where_everybody_may_read_them() {
    let report = report(&[site(7, "shop [eu]", SiteState::Up)], &[], Vec::new());
    assert!(!now(&FRAME, &report).contains("/badge/"));
    let public = Url::parse("https://status.example").unwrap();
    let told = |url| {
        let badges = Badges::at(url);
        let frame = Frame {
            badges: Some(&badges),
            ..FRAME
        };
        now(&frame, &report)
    };
    let page = told(Some(&public));
    for shown in [
        "<img src=\"/badge/7/status.svg\" alt=\"Status of shop [eu]\"",
        "<code>![Status of shop \\[eu\\]](https://status.example/badge/7/status.svg)</code>",
        "<code>&lt;img src=&quot;https://status.example/badge/7/uptime.svg?window=90d&quot; \
         alt=&quot;Uptime of shop [eu]&quot;&gt;</code>",
    ] {
        assert!(page.contains(shown), "no {shown} in {page}");
    }
    let nowhere = told(None);
    assert!(nowhere.contains("(/badge/7/status.svg)"), "{nowhere}");
    let hint = "The address of this host goes before each path.";
    assert!(nowhere.contains(hint) && !page.contains(hint));
}

#[test]
fn a_page_that_should_be_newer_says_how_old_it_is() {
    let report = report(&[site(1, "shop", SiteState::Up)], &[], Vec::new());
    let page = late(&FRAME, &report, moment() + TimeDelta::minutes(7));
    assert!(page.contains("This is not current."));
    assert!(page.contains("9 Mar 2026, 10:30 UTC</time>, 7 min ago"));
    assert!(!now(&FRAME, &report).contains("This is not current."));
}

#[test]
fn links_lead_to_tags_whatever_these_are() {
    let verdict = report(&[site(1, "shop", SiteState::Up)], &[], Vec::new()).verdict();
    let link = Link {
        tag: "a/b ?#c",
        verdict: Some(verdict),
    };
    let page = list("Status", [link].into_iter(), moment());
    assert!(
        page.contains("<a href=\"/status/a%2Fb%20%3F%23c\">a/b ?#c</a>"),
        "{page}"
    );
    assert!(page.contains("The site is up"));
}

#[test]
fn more_outages_than_are_listed_are_mentioned() {
    let all = [site(1, "shop", SiteState::Up)];
    let sites: Vec<_> = all.iter().collect();
    let next = Some(OutageCursor {
        started_at: moment(),
        site: SiteId(1),
    });
    let outages = Outages {
        items: vec![outage(1, 20, Some(10))],
        next,
    };
    let page = now(&FRAME, &Report::of(moment(), &sites, &[], outages));
    assert!(page.contains("There were more; these are the latest."));
}

//! What the pages say.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use monitor_core::metric::{Precision, SiteState};
use url::Url;

use super::badges::Badges;
use super::bars::{Kind, bars, notable, sample};
use super::document::{Frame, document};
use super::report::{DAYS, OUTAGES_FROM, PastOutage, Report, SiteReport, Verdict};
use super::words;
use crate::badge::percent;

/// A page in the list of pages.
pub(super) struct Link<'a> {
    pub(super) tag: &'a str,
    /// `None` when nothing is known now.
    pub(super) verdict: Option<Verdict>,
}

/// A report that is of now.
pub(super) fn now(frame: &Frame<'_>, report: &Report) -> String {
    whole(frame, &html! {}, report)
}

/// A report that should be newer.
pub(super) fn late(frame: &Frame<'_>, report: &Report, now: DateTime<Utc>) -> String {
    let note = html! {
        p.note role="status" {
            strong { "This is not current." }
            " The results cannot be read right now. Below is how it was at " (words::moment(report.at))
            ", " (words::length(now - report.at)) " ago."
        }
    };
    whole(frame, &note, report)
}

/// The list of pages.
pub(super) fn list<'a>(
    title: &str,
    links: impl Iterator<Item = Link<'a>>,
    now: DateTime<Utc>,
) -> String {
    let body = html! {
        p.when { "At " (words::moment(now)) }
        ul.card.pages {
            @for Link { tag, verdict } in links {
                li {
                    a href=(path_of(tag)) { (tag) }
                    @match verdict {
                        Some(verdict) => (state(verdict.state, &words::verdict(verdict))),
                        None => (state(SiteState::Unknown, "Cannot be read right now")),
                    }
                }
            }
        }
    };
    document(&bare(title), &body)
}

/// Nothing is known.
pub(crate) fn unavailable(title: &str) -> String {
    let body = html! {
        section.verdict.n {
            (icon(SiteState::Unknown))
            div {
                p.big { "The status cannot be read right now" }
                p { "This says nothing of the sites themselves. Load it again in a minute." }
            }
        }
    };
    document(&bare(title), &body)
}

/// Around what is not about single sites.
fn bare(title: &str) -> Frame<'_> {
    Frame {
        title,
        tag: None,
        badges: None,
    }
}

fn path_of(tag: &str) -> String {
    let mut path = String::from("/status/");
    if let Ok(mut url) = Url::parse("http://localhost/status/") {
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(tag);
        }
        url.path().clone_into(&mut path);
    }
    path
}

fn whole(frame: &Frame<'_>, note: &Markup, report: &Report) -> String {
    let verdict = report.verdict();
    let body = html! {
        (note)
        section.verdict.(class(verdict.state)) aria-label="Now" {
            (icon(verdict.state))
            div {
                p.big { (words::verdict(verdict)) }
                p { "At " (words::moment(report.at)) }
            }
        }
        (current(report))
        (sites(report, frame.badges))
        (past(report))
    };
    document(frame, &body)
}

fn current(report: &Report) -> Markup {
    let down = report.down();
    html! {
        @if !down.is_empty() {
            section aria-labelledby="current" {
                h2 #current { "Current outages" }
                ul.card.current {
                    @for site in down {
                        li {
                            strong { (site.name) }
                            @if let Some(since) = site.since {
                                span {
                                    "down since " (words::moment(since)) ", for "
                                    (words::length(report.at - since))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn sites(report: &Report, badges: Option<&Badges>) -> Markup {
    html! {
        section aria-labelledby="sites" {
            h2 #sites { "The last " (DAYS) " days" }
            @if report.sites.is_empty() {
                p.card { "There are no sites to show." }
            } @else {
                ul.legend aria-label="What the bars mean" {
                    @for kind in Kind::ALL {
                        li { (sample(kind)) (kind.meaning()) }
                    }
                }
                ul.sites {
                    @for site in &report.sites { li.card { (one(site, badges)) } }
                }
            }
            @if report.more_sites > 0 {
                p { "And " (report.more_sites) " more sites, which are not shown." }
            }
        }
    }
}

fn one(site: &SiteReport, badges: Option<&Badges>) -> Markup {
    html! {
        div.head {
            h3 { (site.name) }
            (state(site.state, words::state(site.state)))
        }
        (bars(site))
        div.foot {
            @if let Some(first) = site.days.first() { span { (words::day(first.date)) } }
            span.uptime {
                @match site.uptime {
                    Some(uptime) => { (percent(uptime)) " uptime" },
                    None => { "Uptime not known" },
                }
            }
            span { "Today" }
        }
        (days(site))
        @if let Some(badges) = badges { (badges.of(site)) }
    }
}

/// What the bars tell of days with trouble, for those who see or point at none.
fn days(site: &SiteReport) -> Markup {
    let notable = notable(site);
    html! {
        @if !notable.is_empty() {
            details {
                summary {
                    "Days with downtime (" (notable.len()) ")"
                    span.hidden { " of " (site.name) }
                }
                table {
                    thead { tr {
                        th scope="col" { "Day (UTC)" }
                        th scope="col" { "Uptime" }
                        th scope="col" { "Coverage" }
                    } }
                    tbody {
                        @for day in notable {
                            tr {
                                th scope="row" { time datetime=(day.date) { (words::day(day.date)) } }
                                td { (percent(day.uptime.unwrap_or_default())) }
                                td { (percent(day.coverage.unwrap_or_default())) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn past(report: &Report) -> Markup {
    let same_day = |one: &PastOutage, other: &PastOutage| {
        one.started_at.date_naive() == other.started_at.date_naive()
    };
    html! {
        section aria-labelledby="past" {
            h2 #past { "Outages of the last " (OUTAGES_FROM.num_days()) " days" }
            @if report.outages.is_empty() {
                p.card { @if report.down().is_empty() { "None." } @else { "None besides the current." } }
            } @else {
                div.card {
                    @for outages in report.outages.chunk_by(same_day) {
                        @if let Some(first) = outages.first() {
                            h3 {
                                time datetime=(first.started_at.date_naive()) {
                                    (words::day(first.started_at.date_naive()))
                                }
                            }
                        }
                        ul.outages { @for outage in outages { li { (over(outage)) } } }
                    }
                }
            }
            @if report.more_outages { p { "There were more; these are the latest." } }
        }
    }
}

/// An outage that is over, or of which nobody knows.
fn over(outage: &PastOutage) -> Markup {
    let about = match outage.precision {
        Precision::Check => "",
        Precision::Hour => "about ",
    };
    html! {
        strong { (outage.name) }
        span {
            (about) (words::clock(outage.started_at))
            @match outage.ended_at {
                Some(ended_at) => {
                    " to " (words::clock_or_moment(ended_at, outage.started_at.date_naive()))
                    ", " (words::length(ended_at - outage.started_at))
                },
                None => { ", end not known" },
            }
        }
    }
}

fn class(state: SiteState) -> &'static str {
    match state {
        SiteState::Up => "u",
        SiteState::Degraded => "w",
        SiteState::Down => "d",
        SiteState::Stale | SiteState::Unknown | SiteState::Disabled => "n",
    }
}

/// The words say it; the picture beside them has a shape of its own for each state.
fn state(state: SiteState, words: &str) -> Markup {
    html! { p.state.(class(state)) { (icon(state)) (words) } }
}

fn icon(state: SiteState) -> Markup {
    let name = class(state);
    html! { svg.icon viewBox="0 0 20 20" aria-hidden="true" { use href={ "#i-" (name) } {} } }
}

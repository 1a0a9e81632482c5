//! The days of a site, one bar each. What a bar says is in its shape as well as in its colour.

use maud::{Markup, html};

use super::report::{Day, SiteReport};
use super::words;
use crate::badge::percent;

/// Below that, a day was bad.
const BAD: f64 = 0.99;
/// From bar to bar.
const STEP: usize = 10;
/// How high all of it is.
pub(super) const HEIGHT: usize = 36;

/// What is known of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Up,
    Dented,
    Bad,
    Unknown,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Up, Self::Dented, Self::Bad, Self::Unknown];

    fn of(day: &Day) -> Self {
        match day.uptime {
            None => Self::Unknown,
            Some(uptime) if uptime < BAD => Self::Bad,
            Some(uptime) if uptime < 1.0 => Self::Dented,
            Some(_) => Self::Up,
        }
    }

    /// The class of its colour.
    fn class(self) -> &'static str {
        match self {
            Self::Up => "u",
            Self::Dented => "w",
            Self::Bad => "d",
            Self::Unknown => "n",
        }
    }

    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Up => "Up all day",
            Self::Dented => "Down for up to 1% of the day",
            Self::Bad => "Down for more than that",
            Self::Unknown => "Not known",
        }
    }

    /// A whole bar, one with a notch, a stump below a dot, and a mere outline at the ground.
    fn path(self, x: usize) -> String {
        match self {
            Self::Up => format!("M{x} 0h7v36h-7z"),
            Self::Dented => format!("M{x} 0h7v20h-7zm0 24h7v12h-7z"),
            Self::Bad => format!("M{x} 0h7v7h-7zm0 18h7v18h-7z"),
            Self::Unknown => format!("M{x} 31h7v5h-7z"),
        }
    }
}

/// All days of a site in a row.
pub(super) fn bars(site: &SiteReport) -> Markup {
    let width = site.days.len() * STEP;
    html! {
        svg class="days" viewBox={ "0 0 " (width) " " (HEIGHT) } preserveAspectRatio="none" role="img"
            aria-label=(in_words(site)) {
            @for (index, day) in site.days.iter().enumerate() {
                path class=(Kind::of(day).class()) d=(Kind::of(day).path(index * STEP + 1)) {
                    title { (title(day)) }
                }
            }
        }
    }
}

/// One bar that explains itself.
pub(super) fn sample(kind: Kind) -> Markup {
    html! {
        svg class="sample" viewBox={ "0 0 9 " (HEIGHT) } aria-hidden="true" {
            path class=(kind.class()) d=(kind.path(1)) {}
        }
    }
}

/// Those of which there is more to say than that all was well.
pub(super) fn notable(site: &SiteReport) -> Vec<&Day> {
    let notable = |day: &&Day| matches!(Kind::of(day), Kind::Dented | Kind::Bad);
    site.days.iter().rev().filter(notable).collect()
}

fn title(day: &Day) -> String {
    let date = words::day(day.date);
    match (day.uptime, day.coverage) {
        (Some(uptime), coverage) => format!(
            "{date}: {} uptime, {} coverage",
            percent(uptime),
            percent(coverage.unwrap_or_default())
        ),
        (None, Some(_)) => format!("{date}: not known, 0% coverage"),
        (None, None) => format!("{date}: not known, not checked"),
    }
}

fn in_words(site: &SiteReport) -> String {
    let count = |kind| {
        let days = site.days.iter();
        days.filter(|day| Kind::of(day) == kind).count()
    };
    format!(
        "The last {} days of {}: {} up all day, {} with some downtime, {} not known",
        site.days.len(),
        site.name,
        count(Kind::Up),
        count(Kind::Dented) + count(Kind::Bad),
        count(Kind::Unknown),
    )
}

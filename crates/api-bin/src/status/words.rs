//! Times and states as people say them.

use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta, Utc};
use maud::{Markup, html};
use monitor_core::metric::SiteState;

use super::report::{Counts, Verdict};

/// A moment to the minute, in UTC.
pub(super) fn moment(at: DateTime<Utc>) -> Markup {
    html! { time datetime=(machine(at)) { (at.format("%-d %b %Y, %H:%M UTC")) } }
}

/// The same without its day.
pub(super) fn clock(at: DateTime<Utc>) -> Markup {
    html! { time datetime=(machine(at)) { (at.format("%H:%M UTC")) } }
}

/// A moment of a day that is told anyway, or with its own day.
pub(super) fn clock_or_moment(at: DateTime<Utc>, told: NaiveDate) -> Markup {
    if at.date_naive() == told {
        clock(at)
    } else {
        moment(at)
    }
}

pub(super) fn day(date: NaiveDate) -> String {
    date.format("%-d %b %Y").to_string()
}

fn machine(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// How long that is, to the two largest units that matter.
pub(super) fn length(length: TimeDelta) -> String {
    let (days, hours, minutes) = (
        length.num_days(),
        length.num_hours() % 24,
        length.num_minutes() % 60,
    );
    let plural = if days == 1 { "" } else { "s" };
    match (days, hours, minutes) {
        (..=0, ..=0, ..=0) => "less than a minute".to_owned(),
        (..=0, ..=0, minutes) => format!("{minutes} min"),
        (..=0, hours, 0) => format!("{hours} h"),
        (..=0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, _) => format!("{days} day{plural}"),
        (days, hours, _) => format!("{days} day{plural} {hours} h"),
    }
}

/// How a site is.
pub(super) fn state(state: SiteState) -> &'static str {
    match state {
        SiteState::Up => "Up",
        SiteState::Degraded => "Degraded",
        SiteState::Down => "Down",
        SiteState::Stale => "No recent results",
        SiteState::Unknown => "Not known yet",
        SiteState::Disabled => "Not monitored",
    }
}

/// What sites are together.
pub(super) fn verdict(Verdict { state, counts }: Verdict) -> String {
    let Counts {
        all,
        down,
        degraded,
        unknown,
    } = counts;
    let some = |count: usize, what: &str| match (count, all) {
        (1, 1) => format!("The site is {what}"),
        (2.., _) if count == all => format!("All {all} sites are {what}"),
        (1, _) => format!("1 of {all} sites is {what}"),
        _ => format!("{count} of {all} sites are {what}"),
    };
    match state {
        SiteState::Down => some(down, "down"),
        SiteState::Degraded => some(degraded, "degraded"),
        SiteState::Stale | SiteState::Unknown => some(unknown, "in a state that is not known"),
        SiteState::Up => some(all, "up"),
        SiteState::Disabled => "No sites are monitored here".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_has_two_units_at_most() {
        for (seconds, said) in [
            (-5, "less than a minute"),
            (59, "less than a minute"),
            (60, "1 min"),
            (3_600, "1 h"),
            (3_720, "1 h 2 min"),
            (86_400, "1 day"),
            (2 * 86_400 + 3 * 3_600 + 60, "2 days 3 h"),
        ] {
            assert_eq!(length(TimeDelta::seconds(seconds)), said);
        }
    }

    #[test]
    fn what_is_worst_is_said() {
        let said = |state, all, down, degraded, unknown| {
            let counts = Counts {
                all,
                down,
                degraded,
                unknown,
            };
            verdict(Verdict { state, counts })
        };
        assert_eq!(said(SiteState::Up, 3, 0, 0, 0), "All 3 sites are up");
        assert_eq!(said(SiteState::Up, 1, 0, 0, 0), "The site is up");
        assert_eq!(said(SiteState::Down, 3, 1, 2, 0), "1 of 3 sites is down");
        let unknown = "2 of 3 sites are in a state that is not known";
        assert_eq!(said(SiteState::Unknown, 3, 0, 0, 2), unknown);
    }
}

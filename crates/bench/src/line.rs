//! A line of a report.

use std::fmt;

use crate::statistics::Spread;
use crate::target::Target;

/// A number, what it is called, and what it should be.
pub(crate) struct Line {
    name: String,
    measured: String,
    aim: Option<(Target, f64)>,
    unit: &'static str,
}

impl Line {
    pub(crate) fn of_spread(name: &str, spread: Spread, aim: Target, unit: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            measured: spread.spelled(2),
            aim: Some((aim, spread.median)),
            unit,
        }
    }

    pub(crate) fn of(name: &str, measured: f64, aim: Target, unit: &'static str) -> Self {
        Self {
            aim: Some((aim, measured)),
            ..Self::plain(name, measured, unit)
        }
    }

    pub(crate) fn plain(name: &str, measured: f64, unit: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            measured: format!("{measured:.2}"),
            aim: None,
            unit,
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            measured,
            aim,
            unit,
        } = self;
        match aim {
            Some((target, number)) => {
                let held = target.verdict(*number);
                write!(f, "| {name} | {measured}{unit} | {target}{unit} | {held} |")
            }
            None => write!(f, "| {name} | {measured}{unit} | | |"),
        }
    }
}

//! What is wrong with a site file, and where.

use monitor_core::site::FieldProblem;
use serde_saphyr::Location;

/// A place in a file, counted from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The character in it.
    pub column: u64,
}

impl Place {
    pub(crate) fn of(location: &Location) -> Self {
        Self {
            line: location.line(),
            column: location.column(),
        }
    }
}

/// A text that is no YAML, or is not a list of sites.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {message}", place.line, place.column)]
pub struct NotASiteFile {
    /// Where it ceases to be one.
    pub place: Place,
    /// Why.
    pub message: String,
}

impl NotASiteFile {
    /// The error's place and first line; what follows there is a drawing of the file.
    pub(crate) fn of(error: &serde_saphyr::Error) -> Self {
        let begin = Place { line: 1, column: 1 };
        let place = error.location().map_or(begin, |at| Place::of(&at));
        let text = error.without_snippet().to_string();
        let line = text.lines().next().unwrap_or_default();
        let at = format!(" at line {}, column {}", place.line, place.column);
        Self {
            place,
            message: line.strip_suffix(&at).unwrap_or(line).to_owned(),
        }
    }
}

/// What is wrong with a site of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteProblem {
    /// Which site of the file, counted from zero.
    pub index: usize,
    /// Its name as it was written, or else its URL; `None` when it has neither.
    pub name: Option<String>,
    /// Where the field is, or the site when the field is not there.
    pub place: Place,
    /// The field, and what is wrong with it.
    pub problem: FieldProblem,
}

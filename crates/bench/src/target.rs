//! What a number should be.

use std::fmt;

use serde::Serialize;

/// A bound that a number should keep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    /// Told, never enforced: a neighbour on the machine must not fail anybody's build.
    pub(crate) fn verdict(self, measured: f64) -> &'static str {
        let held = match self {
            Self::AtMost(most) => measured <= most,
            Self::AtLeast(least) => measured >= least,
        };
        if held { "✔" } else { "✘" }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(most) => write!(f, "≤ {most}"),
            Self::AtLeast(least) => write!(f, "≥ {least}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_kept_up_to_its_very_bound() {
        assert_eq!(Target::AtMost(1.15).verdict(1.15), "✔");
        assert_eq!(Target::AtMost(1.15).verdict(1.16), "✘");
        assert_eq!(Target::AtLeast(8.0).verdict(8.0), "✔");
        assert_eq!(Target::AtLeast(8.0).verdict(7.9), "✘");
    }
}

//! Choices among a few words.

use monitor_core::Outcome;
use schemars::{JsonSchema, Schema, json_schema};
use serde::Deserialize;

use super::parameter::Parameter;

/// Some outcomes, comma separated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcomes(pub(crate) Vec<Outcome>);

impl Parameter for Outcomes {
    fn schema() -> Schema {
        let one = "(up|degraded|down|missed|error)";
        let pattern = format!("^{one}(,{one})*$");
        json_schema!({"type": "string", "pattern": pattern, "examples": ["down,error"]})
    }

    fn parse(text: &str) -> Result<Self, String> {
        let outcomes: Result<_, _> = text.split(',').map(str::parse).collect();
        let expected =
            "expected one or several of up, degraded, down, missed, error, comma separated";
        outcomes.map(Self).map_err(|_| expected.to_owned())
    }
}

/// Which checks come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Direction {
    /// The latest.
    #[default]
    Newest,
    /// The earliest.
    Oldest,
}

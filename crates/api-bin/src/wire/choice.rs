//! Choices among a few words.

use std::borrow::Cow;

use monitor_core::Outcome;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

/// Some outcomes, comma separated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcomes(pub(crate) Vec<Outcome>);

impl<'de> Deserialize<'de> for Outcomes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let outcomes: Result<_, _> = text.split(',').map(str::parse).collect();
        outcomes.map(Self).map_err(|_| {
            de::Error::custom(
                "expected one or several of up, degraded, down, missed, error, comma separated",
            )
        })
    }
}

impl JsonSchema for Outcomes {
    fn schema_name() -> Cow<'static, str> {
        "Outcomes".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = "(up|degraded|down|missed|error)";
        json_schema!({"type": "string", "pattern": format!("^{one}(,{one})*$"), "examples": ["down,error"]})
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

//! Choices among a few words, and of some sites.

use std::collections::HashSet;

use monitor_core::{Outcome, SiteId};
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

/// The ids of some sites, comma separated, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SiteIds(pub(crate) Vec<SiteId>);

impl SiteIds {
    /// Most that may be asked for at once.
    const MOST: usize = 200;
}

impl Parameter for SiteIds {
    fn schema() -> Schema {
        let pattern = format!("^[0-9]{{1,18}}(,[0-9]{{1,18}}){{0,{}}}$", Self::MOST - 1);
        json_schema!({
            "description": format!("The ids of at most {} sites, comma separated, each once.", Self::MOST),
            "type": "string",
            "pattern": pattern,
            "examples": ["1,2,3"],
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let ids: Vec<&str> = text.split(',').collect();
        if ids.len() > Self::MOST {
            let (count, most) = (ids.len(), Self::MOST);
            return Err(format!("has {count} ids: ask for {most} at most at once"));
        }
        let mut seen = HashSet::new();
        let id = |text: &str| match text.parse() {
            Ok(id) if is_number(text) && seen.insert(id) => Ok(SiteId(id)),
            Ok(id) if is_number(text) => Err(format!("has {id} twice")),
            _ => Err(format!("expected ids of sites such as 1,2,3, not {text:?}")),
        };
        ids.into_iter().map(id).collect::<Result<_, _>>().map(Self)
    }
}

/// Digits alone, so that what is documented is all that is understood.
fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_numbers_each_once() {
        let ids = |text: &str| SiteIds::parse(text).map(|ids| ids.0);
        assert_eq!(ids("7"), Ok(vec![SiteId(7)]));
        assert_eq!(ids("3,1,2"), Ok(vec![SiteId(3), SiteId(1), SiteId(2)]));
        assert_eq!(ids("1,2,1").unwrap_err(), "has 1 twice");
        assert_eq!(ids("1,01").unwrap_err(), "has 1 twice");
        for text in ["", ",", "1,", "+1", "-1", "1 ", "x", "9223372036854775808"] {
            assert!(ids(text).unwrap_err().contains("expected ids"), "{text:?}");
        }
        let many = |count: usize| {
            let all: Vec<_> = (0..count).map(|id| id.to_string()).collect();
            ids(&all.join(",")).map(|ids| ids.len())
        };
        assert_eq!(many(200), Ok(200));
        assert!(many(201).unwrap_err().contains("200 at most"));
    }
}

//! A site file as YAML has it: each site as it was written, with the places of its fields.

use std::fmt;

use monitor_core::site::FieldProblem;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use crate::problem::{Place, SiteProblem};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    pub(crate) sites: Vec<Spanned<Fields>>,
}

/// The fields of a site, in order, with the places of their values.
pub(crate) struct Fields(Vec<(String, Spanned<Value>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a site: a mapping with at least a url")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

/// Enough for a million sites of a few fields. What makes a small file expand into a large one stays
/// limited as it is.
pub(crate) fn limits() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: 20_000_000,
            max_events: 40_000_000,
            max_total_scalar_bytes: 1 << 30,
        },
    }
}

/// A site as written.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) place: Place,
    pub(crate) fields: Map<String, Value>,
    places: Vec<(String, Place)>,
}

impl Entry {
    pub(crate) fn of(written: Spanned<Fields>) -> Self {
        let mut entry = Self {
            place: Place::of(&written.referenced),
            fields: Map::new(),
            places: Vec::new(),
        };
        for (field, value) in written.value.0 {
            let place = Place::of(&value.referenced);
            entry.places.push((field.clone(), place));
            entry.fields.insert(field, value.value);
        }
        entry
    }

    /// A problem of this one, which is the `index`th of its file.
    pub(crate) fn tell(&self, index: usize, problem: FieldProblem) -> SiteProblem {
        let name = ["name", "url"].into_iter().find_map(|field| {
            let text = self.fields.get(field).and_then(Value::as_str);
            text.map(str::to_owned)
        });
        SiteProblem {
            index,
            name,
            place: self.place_of(&problem.field),
            problem,
        }
    }

    /// Where a field is; what is not written is where the site begins.
    fn place_of(&self, field: &str) -> Place {
        let field = field.split('.').next().unwrap_or(field);
        let written = self.places.iter().find(|(name, _)| name == field);
        written.map_or(self.place, |(_, place)| *place)
    }
}

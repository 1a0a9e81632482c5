//! The ways of getting events from a topic into a table that are compared.

use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::connect::{self, Connect};
use super::copied::{self, Export};
use super::meter::Pace;
use super::one_by_one;
use super::ours::{self, Route};
use crate::console;
use crate::python::Python;
use crate::stack::Stack;

/// One of the ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Way {
    /// Our sink.
    Sink,
    /// The server copies the same rows from a file: no Kafka, no client, nothing beside the rows.
    Copy,
    /// A first version in Python.
    OneByOne,
    /// Kafka Connect with a JDBC sink connector.
    Connect,
}

impl Way {
    pub(crate) const ALL: [Self; 4] = [Self::Sink, Self::Copy, Self::OneByOne, Self::Connect];
    /// Those that ours is compared with.
    pub(crate) const OTHERS: [Self; 3] = [Self::Copy, Self::OneByOne, Self::Connect];
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sink => "sink",
            Self::Copy => "COPY by the server",
            Self::OneByOne => "Python, row by row",
            Self::Connect => "Kafka Connect, JDBC",
        })
    }
}

/// What they work on, and what they need for it.
pub(crate) struct Means<'a> {
    pub(crate) stack: &'a Stack,
    /// Full of events.
    pub(crate) topic: &'a str,
    pub(crate) events: u32,
    /// The same, for Kafka Connect.
    pub(crate) connect_topic: &'a str,
    /// How long the slow ones are watched.
    pub(crate) window: Duration,
    pub(crate) python: Result<Python, String>,
    pub(crate) connect: Result<Connect, String>,
}

/// One way in one round.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sample {
    pub(crate) round: u32,
    pub(crate) way: Way,
    #[serde(flatten)]
    pub(crate) pace: Pace,
    /// The most memory that the process had.
    pub(crate) peak_bytes: Option<u64>,
}

/// All ways in every round; those that cannot be had are left out. What the sink filled in the first
/// round stays, under the returned name.
pub(crate) fn run(rounds: u32, means: &Means<'_>) -> Result<(Vec<Sample>, String)> {
    let mut samples = Vec::new();
    let mut export = None;
    let kept = database(1, Way::Sink);
    for round in 1..=rounds {
        for way in Way::ALL {
            if means.missing(way).is_some() {
                continue;
            }
            let name = database(round, way);
            let (pace, peak_bytes) = means
                .fill(way, &name, export.as_ref())
                .with_context(|| way.to_string())?;
            let Pace {
                rows_per_second,
                client_micros,
                postgres_micros,
                ..
            } = pace;
            let mebibytes =
                peak_bytes.map_or(String::new(), |peak| format!(", {} MiB", peak >> 20));
            console::say(&format!(
                "  round {round}, {way}: {rows_per_second:.0} rows/s, \
                 {client_micros:.2} + {postgres_micros:.2} µs{mebibytes}"
            ));
            samples.push(Sample {
                round,
                way,
                pace,
                peak_bytes,
            });
            if export.is_none() {
                export = Some(copied::export(means.stack, &name)?);
            }
            if name != kept {
                means.stack.drop_database(&name)?;
            }
        }
    }
    Ok((samples, kept))
}

fn database(round: u32, way: Way) -> String {
    let way = match way {
        Way::Sink => "sink",
        Way::Copy => "copy",
        Way::OneByOne => "one_by_one",
        Way::Connect => "connect",
    };
    format!("{way}_{round}")
}

impl Means<'_> {
    /// Why a way cannot be measured here, if it cannot.
    pub(crate) fn missing(&self, way: Way) -> Option<&str> {
        let reason = match way {
            Way::Sink | Way::Copy => None,
            Way::OneByOne => self.python.as_ref().err(),
            Way::Connect => self.connect.as_ref().err(),
        };
        reason.map(String::as_str)
    }

    fn fill(
        &self,
        way: Way,
        database: &str,
        export: Option<&Export>,
    ) -> Result<(Pace, Option<u64>)> {
        let (stack, topic, length) = (self.stack, self.topic, self.window);
        match way {
            Way::Sink => {
                let route = Route { topic, database };
                let (pace, peak) = ours::fill(stack, route, self.events)?;
                Ok((pace, Some(peak)))
            }
            Way::Copy => {
                let export = export.context("nothing has been stored yet")?;
                Ok((copied::fill(stack, database, export)?, None))
            }
            Way::OneByOne => {
                let pace = one_by_one::fill(stack, database, topic, &self.python, length)?;
                Ok((pace, None))
            }
            Way::Connect => {
                let topic = self.connect_topic;
                let pace = connect::fill(stack, database, topic, &self.connect, length)?;
                Ok((pace, None))
            }
        }
    }
}

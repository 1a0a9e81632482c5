//! The dashboards as files, and that Grafana can take them anywhere.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// Grafana's number for the format of a dashboard; it brings older ones up to date by itself.
const SCHEMA_VERSION: u64 = 39;
/// How many columns the grid of a dashboard has.
const COLUMNS: u64 = 24;

/// A dashboard.
pub(crate) struct Board {
    json: Value,
}

/// A query, and what asks it.
pub(crate) struct Query<'a> {
    /// Title of the panel, or name of the variable.
    pub(crate) asker: &'a str,
    /// Its text.
    pub(crate) text: &'a str,
}

impl Board {
    /// That of the database.
    pub(crate) fn postgresql() -> anyhow::Result<Self> {
        Self::read(include_str!(
            "../../../../deploy/grafana/dashboards/postgresql.json"
        ))
    }

    /// That of the metrics.
    pub(crate) fn prometheus() -> anyhow::Result<Self> {
        Self::read(include_str!(
            "../../../../deploy/grafana/dashboards/prometheus.json"
        ))
    }

    fn read(text: &str) -> anyhow::Result<Self> {
        Ok(Self {
            json: serde_json::from_str(text)?,
        })
    }

    /// The kind of its data source.
    pub(crate) fn source(&self) -> anyhow::Result<&str> {
        let first = self.variables()?.first().context("no variables")?;
        ensure!(first["type"] == "datasource" && first["name"] == "datasource");
        first["query"].as_str().context("no kind of data source")
    }

    fn list(&self, pointer: &str) -> anyhow::Result<&Vec<Value>> {
        let list = self.json.pointer(pointer).and_then(Value::as_array);
        list.with_context(|| format!("no list {pointer}"))
    }

    fn variables(&self) -> anyhow::Result<&Vec<Value>> {
        self.list("/templating/list")
    }

    /// Its panels, without the rows between them.
    fn panels(&self) -> anyhow::Result<Vec<&Value>> {
        let panels = self.list("/panels")?.iter();
        Ok(panels.filter(|panel| panel["type"] != "row").collect())
    }

    /// The queries of its panels.
    pub(crate) fn queries(&self) -> anyhow::Result<Vec<Query<'_>>> {
        let mut queries = Vec::new();
        for panel in self.panels()? {
            let targets = panel["targets"].as_array().context("no targets")?;
            for target in targets {
                let text = target.get("rawSql").or_else(|| target.get("expr"));
                queries.push(Query {
                    asker: panel["title"].as_str().context("no title")?,
                    text: text.and_then(Value::as_str).context("no query")?,
                });
            }
        }
        Ok(queries)
    }

    /// The queries of its variables.
    pub(crate) fn variable_queries(&self) -> anyhow::Result<Vec<Query<'_>>> {
        let asking = self.variables()?.iter().filter(|it| it["type"] == "query");
        let queries = asking.map(|variable| {
            // The plugin of Prometheus wraps its text.
            let text = variable["query"].as_str();
            let text = text.or_else(|| variable["query"]["query"].as_str());
            Ok(Query {
                asker: variable["name"].as_str().context("no name")?,
                text: text.context("no query")?,
            })
        });
        queries.collect()
    }

    /// What a variable stands for when all is chosen.
    pub(crate) fn all(&self, name: &str) -> anyhow::Result<&str> {
        let variable = self.variables()?.iter().find(|it| it["name"] == name);
        let all = variable.and_then(|variable| variable["allValue"].as_str());
        all.with_context(|| format!("no {name} that can be all"))
    }
}

/// Every `datasource` inside.
fn sources<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if name == "datasource" {
                    found.push(field);
                }
                sources(field, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| sources(item, found)),
        _ => {}
    }
}

/// The cells of the grid that a panel covers.
fn cells(panel: &Value) -> anyhow::Result<Vec<(u64, u64)>> {
    let side = |name: &str| panel["gridPos"][name].as_u64().context("no place");
    let (x, y, width, height) = (side("x")?, side("y")?, side("w")?, side("h")?);
    ensure!(x + width <= COLUMNS, "{} sticks out", panel["title"]);
    let rows = y..y + height;
    Ok(rows
        .flat_map(|row| (x..x + width).map(move |column| (row, column)))
        .collect())
}

#[test]
fn a_dashboard_fits_any_grafana() -> anyhow::Result<()> {
    for board in [Board::postgresql()?, Board::prometheus()?] {
        ensure!(board.json["id"].is_null(), "an id is of one Grafana alone");
        ensure!(board.json["schemaVersion"] == SCHEMA_VERSION);
        ensure!(
            board.json["uid"]
                .as_str()
                .is_some_and(|uid| !uid.is_empty())
        );
        let kind = board.source()?;
        let mut found = Vec::new();
        sources(&board.json, &mut found);
        ensure!(found.len() > 2 * board.panels()?.len());
        for source in found {
            ensure!(
                source["uid"] == "${datasource}" && source["type"] == kind,
                "{source}"
            );
        }
    }
    Ok(())
}

#[test]
fn panels_have_ids_and_places_of_their_own_and_say_what_they_show() -> anyhow::Result<()> {
    for board in [Board::postgresql()?, Board::prometheus()?] {
        let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
        for panel in board.list("/panels")? {
            let id = panel["id"].as_u64().context("no id")?;
            ensure!(ids.insert(id), "two panels {id}");
            for cell in cells(panel)? {
                ensure!(taken.insert(cell), "{} covers another", panel["title"]);
            }
        }
        for panel in board.panels()? {
            ensure!(panel["datasource"].is_object(), "{}", panel["title"]);
            // A line through a time of which nothing is known would say that something is.
            if panel["type"] == "timeseries" {
                let spans = &panel["fieldConfig"]["defaults"]["custom"]["spanNulls"];
                ensure!(*spans == false, "{} draws over gaps", panel["title"]);
            }
        }
    }
    Ok(())
}

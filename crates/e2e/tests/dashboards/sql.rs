//! The SQL of the dashboard, with its macros and variables replaced as Grafana replaces them, asked as
//! the user who only reads.

use anyhow::{Context as _, ensure};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use e2e::World;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row as _, ValueRef as _};

use crate::board::{Board, Query};
use crate::history::{self, HOURS, TAG};

const READER: &str = include_str!("../../../../deploy/grafana/reader.sql");
const MIGRATIONS: &str = include_str!("../../../../migrations/README.md");

/// Views that say how things are now, whatever the range is.
const NOW: [&str; 2] = ["site_overview", "current_state"];

/// What somebody has chosen at the top of the dashboard.
struct Chosen {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    tag: String,
    site: String,
    region: String,
}

impl Chosen {
    /// All of everything.
    fn all(board: &Board, from: DateTime<Utc>, to: DateTime<Utc>) -> anyhow::Result<Self> {
        Ok(Self {
            from,
            to,
            // What stands for all is put in as it is, what is chosen as quoted strings.
            tag: board.all("tag")?.to_owned(),
            site: board.all("site")?.to_owned(),
            region: board.all("region")?.to_owned(),
        })
    }

    /// The query that Grafana sends.
    fn apply(&self, text: &str) -> anyhow::Result<String> {
        let text = text
            .replace("$site", &self.site)
            .replace("$tag", &self.tag)
            .replace("$region", &self.region);
        let mut rest = text.as_str();
        let mut sent = String::new();
        while let Some((before, macro_)) = rest.split_once("$__") {
            let (name, after) = macro_.split_once('(').context("not a macro")?;
            let (arguments, after) = after.split_once(')').context("a macro without an end")?;
            sent += before;
            sent += &self.replaced(name, arguments)?;
            rest = after;
        }
        sent += rest;
        ensure!(!sent.contains('$'), "an unknown variable in {sent}");
        Ok(sent)
    }

    fn replaced(&self, name: &str, arguments: &str) -> anyhow::Result<String> {
        let instant = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let (from, to) = (instant(self.from), instant(self.to));
        Ok(match (name, arguments.split_once(", ")) {
            ("timeFilter", None) => format!("{arguments} BETWEEN '{from}' AND '{to}'"),
            ("timeFrom", None) => format!("'{from}'"),
            ("timeTo", None) => format!("'{to}'"),
            ("timeGroupAlias", Some((column, "'5m'"))) => {
                format!("floor(extract(epoch from {column})/300)*300 AS \"time\"")
            }
            _ => anyhow::bail!("no macro {name}({arguments})"),
        })
    }
}

fn quoted(values: &[&str]) -> String {
    let quoted = values
        .iter()
        .map(|value| format!("'{}'", value.replace('\'', "''")));
    quoted.collect::<Vec<_>>().join(",")
}

/// The answers to all panels.
async fn ask<'a>(
    connection: &mut PgConnection,
    board: &'a Board,
    chosen: &Chosen,
) -> anyhow::Result<Vec<(Query<'a>, Vec<PgRow>)>> {
    let mut answers = Vec::new();
    for query in board.queries()? {
        let sent = chosen.apply(query.text)?;
        let rows = sqlx::query(AssertSqlSafe(sent))
            .fetch_all(&mut *connection)
            .await
            .with_context(|| format!("{}: {}", query.asker, query.text))?;
        answers.push((query, rows));
    }
    Ok(answers)
}

/// Whether it says nothing.
fn is_empty(row: &PgRow) -> bool {
    let known = (0..row.len()).any(|column| row.try_get_raw(column).is_ok_and(|it| !it.is_null()));
    !known
}

/// A transaction of the user who only reads. A role is of the whole server: it goes with the transaction.
async fn reader(world: &World) -> anyhow::Result<sqlx::PgTransaction<'_>> {
    let mut transaction = world.database.begin().await?;
    for statement in [
        "SET LOCAL monitor.reader_password = 'secret'",
        READER,
        "SET LOCAL ROLE monitor_reader",
    ] {
        let done = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *transaction);
        done.await.with_context(|| statement.to_owned())?;
    }
    Ok(transaction)
}

/// The rows of a panel.
fn rows_of<'a>(
    answers: &'a [(Query<'_>, Vec<PgRow>)],
    panel: &str,
) -> anyhow::Result<&'a Vec<PgRow>> {
    let answer = answers.iter().find(|(query, _)| query.asker == panel);
    let (_, rows) = answer.with_context(|| format!("no panel {panel}"))?;
    Ok(rows)
}

fn number(row: &PgRow, column: &str) -> anyhow::Result<Option<f64>> {
    row.try_get(column)
        .with_context(|| format!("no number {column}"))
}

#[tokio::test]
async fn a_reader_sees_in_every_panel_what_has_happened() -> anyhow::Result<()> {
    let (board, now) = (Board::postgresql()?, Utc::now());
    let world = history::happened(now).await?;
    let sites = history::ids(&world).await?;
    let mut reader = reader(&world).await?;
    let from = now - TimeDelta::hours(HOURS + 1);

    let all = Chosen::all(&board, from, now)?;
    for query in board.variable_queries()? {
        let rows = sqlx::query(AssertSqlSafe(all.apply(query.text)?));
        let rows = rows.fetch_all(&mut *reader).await?;
        ensure!(!rows.is_empty(), "{} has no values", query.asker);
    }
    let answers = ask(&mut reader, &board, &all).await?;
    for (query, rows) in &answers {
        ensure!(
            rows.iter().any(|row| !is_empty(row)),
            "{} is empty",
            query.asker
        );
    }
    // Two thirds of the checks have a verdict: `silent` has none.
    let coverage = number(&rows_of(&answers, "Coverage")?[0], "coverage")?;
    ensure!(
        coverage.is_some_and(|it| (it - 2.0 / 3.0).abs() < 1e-9),
        "{coverage:?}"
    );
    let states = &rows_of(&answers, "Sites")?[0];
    for (state, count) in [("up", 1), ("down", 1), ("unknown", 1), ("stale", 0)] {
        ensure!(states.try_get::<i64, _>(state)? == count, "{state}");
    }
    let outages = rows_of(&answers, "Outages")?;
    ensure!(outages.len() == 2, "{} outages", outages.len());

    // All sites of a tag, then of these the one that nothing is known of.
    let tagged = Chosen {
        tag: quoted(&["none", TAG]),
        region: quoted(&["local"]),
        ..Chosen::all(&board, from, now)?
    };
    let answers = ask(&mut reader, &board, &tagged).await?;
    let uptime = number(&rows_of(&answers, "Uptime")?[0], "uptime")?;
    ensure!(uptime == Some(1.0), "{uptime:?}");
    ensure!(rows_of(&answers, "Outages")?.is_empty());

    let silent = Chosen {
        site: quoted(&[&sites["silent"].to_string()]),
        ..tagged
    };
    let answers = ask(&mut reader, &board, &silent).await?;
    for panel in ["Uptime", "Coverage"] {
        let value = number(&rows_of(&answers, panel)?[0], &panel.to_lowercase())?;
        let expected = (panel == "Coverage").then_some(0.0);
        ensure!(
            value == expected,
            "{panel} of what nothing is known of is {value:?}"
        );
    }
    reader.rollback().await?;
    Ok(())
}

#[tokio::test]
async fn nothing_beyond_the_range_is_read() -> anyhow::Result<()> {
    let (board, now) = (Board::postgresql()?, Utc::now());
    let world = history::happened(now).await?;
    let mut connection = world.database.acquire().await?;
    let before = now - TimeDelta::hours(HOURS + 2);
    let chosen = Chosen::all(&board, before - TimeDelta::days(1), before)?;
    for (Query { asker, text }, rows) in ask(&mut connection, &board, &chosen).await? {
        let of_now = NOW
            .iter()
            .any(|view| text.contains(&format!("FROM {view}\n")));
        ensure!(of_now != text.contains("$__timeFilter("), "{asker}");
        ensure!(of_now || rows.iter().all(is_empty), "{asker} shows more");
    }
    Ok(())
}

#[test]
fn the_reader_of_grafana_has_the_documented_rights() -> anyhow::Result<()> {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let reader = words(READER);
    let documented = MIGRATIONS.split(";\n").filter_map(|statement| {
        let begin = statement.find("GRANT")?;
        Some(words(statement.get(begin..)?))
    });
    let documented: Vec<_> = documented.collect();
    ensure!(documented.len() == 2, "{documented:?}");
    ensure!(reader.matches("GRANT").count() == documented.len());
    for grant in documented {
        ensure!(reader.contains(&format!("{grant};")), "no {grant}");
    }
    Ok(())
}

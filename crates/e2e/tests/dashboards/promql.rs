//! The metrics that dashboard and alerts ask for.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, iter};

use anyhow::{Context as _, ensure};
use e2e::{Api, World};
use serde_json::Value;

use crate::board::Board;

const RULES: &str = include_str!("../../../../deploy/prometheus/rules.yml");

/// Words of the language that are neither functions nor metrics.
const KEYWORDS: [&str; 5] = ["and", "or", "unless", "offset", "bool"];
/// Those that labels follow.
const BEFORE_LABELS: [&str; 6] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
];

/// The metrics that an expression asks for.
fn asked(expression: &str) -> BTreeSet<String> {
    let mut metrics = BTreeSet::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        rest = match first {
            '"' => after(&rest[1..], '"'),
            '{' => after(rest, '}'),
            '[' => after(rest, ']'),
            _ if is_word(first) => {
                let end = rest.find(|it| !is_word(it)).unwrap_or(rest.len());
                let (word, following) = rest.split_at(end);
                let next = following.trim_start();
                let called = ["(", "by ", "without "]
                    .iter()
                    .any(|it| next.starts_with(it));
                if BEFORE_LABELS.contains(&word) {
                    after(following, ')')
                } else {
                    let number = word.starts_with(|it: char| it.is_ascii_digit());
                    if !called && !number && !KEYWORDS.contains(&word) {
                        metrics.insert(word.to_owned());
                    }
                    following
                }
            }
            _ => &rest[first.len_utf8()..],
        };
    }
    metrics
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == ':'
}

fn after(text: &str, end: char) -> &str {
    text.split_once(end).map_or("", |(_, rest)| rest)
}

/// What comes before a metric in the sources, how its name begins, and what Prometheus adds to it. Those
/// of the process are written by hand.
const NAMED: [(&str, &str, &[&str]); 4] = [
    ("counter!(\"", "", &[""]),
    ("gauge!(\"", "", &[""]),
    ("histogram!(\"", "", &["_bucket", "_sum", "_count"]),
    ("\"process_", "process_", &[""]),
];

/// The metrics of the services, from their sources.
fn told() -> anyhow::Result<BTreeSet<String>> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut sources = Vec::new();
    for krate in fs::read_dir(crates)? {
        read(&krate?.path().join("src"), &mut sources)?;
    }
    let mut names = BTreeSet::new();
    for (before, prefix, suffixes) in NAMED {
        let uses = sources
            .iter()
            .flat_map(|source| source.split(before).skip(1));
        for name in uses.filter_map(|rest| rest.split('"').next()) {
            let told = |suffix: &&str| format!("{prefix}{name}{suffix}");
            names.extend(suffixes.iter().map(told));
        }
    }
    Ok(names)
}

/// What the API tells of sites, as it says itself: each metric is introduced, also without a value.
async fn fleet() -> anyhow::Result<BTreeSet<String>> {
    let world = World::bare().await?;
    world.admin(&["migrate"])?.success()?;
    let api = Api::start(&world, &[]).await?;
    let text = api.client.get("/metrics").await?.text();
    let introduced = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let names: BTreeSet<_> = introduced.map(str::to_owned).collect();
    ensure!(names.contains("monitor_sites"), "{text}");
    Ok(names)
}

/// Adds the sources of a folder and those inside.
fn read(folder: &Path, sources: &mut Vec<String>) -> anyhow::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read(&path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// The expressions of the alerts.
fn alerts() -> anyhow::Result<Vec<String>> {
    let rules: Value = serde_saphyr::from_str(RULES)?;
    let groups = rules["groups"].as_array().context("no groups")?;
    let rules = groups.iter().filter_map(|group| group["rules"].as_array());
    let expression = |rule: &Value| Some(rule["expr"].as_str()?.to_owned());
    Ok(rules.flatten().filter_map(expression).collect())
}

#[tokio::test]
async fn every_metric_that_is_asked_for_is_told() -> anyhow::Result<()> {
    let (board, alerts) = (Board::prometheus()?, alerts()?);
    let queries = board.queries()?;
    let mut expressions: Vec<_> = queries.iter().map(|query| query.text).collect();
    expressions.extend(alerts.iter().map(String::as_str));
    let variables = board.variable_queries()?;
    for variable in &variables {
        let values = variable.text.strip_prefix("label_values(");
        let selector = values.and_then(|values| values.rsplit_once(','));
        expressions.push(selector.context("not the values of a label")?.0);
    }
    let known: BTreeSet<_> = told()?
        .into_iter()
        .chain(fleet().await?)
        // Prometheus itself says whether it reached a service.
        .chain(iter::once("up".to_owned()))
        .collect();
    let mut all = BTreeSet::new();
    for expression in expressions {
        let asked = asked(expression);
        ensure!(!asked.is_empty(), "no metric in {expression}");
        for metric in &asked {
            ensure!(
                known.contains(metric),
                "nobody tells {metric}: {expression}"
            );
        }
        all.extend(asked);
    }
    for metric in [
        "probe_success",
        "sink_lag_seconds",
        "sink_dead_letters_total",
    ] {
        ensure!(all.contains(metric), "nobody asks for {metric}");
    }
    Ok(())
}

#[test]
fn metrics_are_told_from_functions_labels_and_numbers() {
    let expression = r#"histogram_quantile(0.5, sum by (le, job) (rate(a_bucket{b="c(d)"}[5m]))) > 2e3
        or on (site) (x:y unless z offset 1h) and f{g=~"$site"}"#;
    let expected = ["a_bucket", "f", "x:y", "z"];
    assert_eq!(asked(expression), expected.map(str::to_owned).into());
}

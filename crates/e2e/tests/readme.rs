//! What the documents say is so: their SQL runs, their tables are complete.

use anyhow::ensure;
use e2e::{Binary, World};
use monitor_core::site::FIELDS;
use monitor_core::{FailureKind, Outcome, Phase};
use sqlx::AssertSqlSafe;
use strum::VariantArray as _;

const README: &str = include_str!("../../../README.md");
const ROLLUPS: &str = include_str!("../../../docs/rollups.md");
const SITES: &str = include_str!("../../../docs/sites.md");
const CHECKS: &str = include_str!("../../../docs/checks.md");

/// The code blocks of a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let parts = text.split("```").skip(1).step_by(2);
    parts
        .filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'))
        .collect()
}

#[tokio::test]
async fn the_queries_of_the_documents_run() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (readme, rollups) = (blocks(README, "sql"), blocks(ROLLUPS, "sql"));
    ensure!(readme.len() >= 3, "{} queries", readme.len());
    ensure!(!rollups.is_empty());
    for query in readme.into_iter().chain(rollups) {
        sqlx::query(AssertSqlSafe(query))
            .fetch_all(&world.database)
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_readme_has_every_variable_with_its_default() -> anyhow::Result<()> {
    let world = World::bare().await?;
    for binary in [Binary::Checker, Binary::Sink, Binary::Api, Binary::Admin] {
        let help = world.run(binary, &["--help"])?.success()?;
        let (_, variables) = help.split_once("Environment variables").unwrap_or_default();
        let lines = variables
            .lines()
            .skip(1)
            .filter(|line| line.starts_with("  "));
        for line in lines {
            let name = line.split_whitespace().next().unwrap_or_default();
            let default = line
                .split_once("[default: ")
                .map(|(_, rest)| rest.trim_end_matches(']'));
            let default = default.map_or_else(String::new, |default| format!("| `{default}` |"));
            let told = |row: &str| row.contains(&format!("`{name}`")) && row.contains(&default);
            ensure!(README.lines().any(told), "no {name} {default} in README.md");
        }
    }
    Ok(())
}

#[test]
fn every_field_of_a_site_is_documented() -> anyhow::Result<()> {
    for field in FIELDS {
        ensure!(
            SITES.contains(&format!("\n| `{field}` | ")),
            "no {field} in docs/sites.md"
        );
    }
    Ok(())
}

#[test]
fn every_way_to_end_is_documented() {
    let outcomes = Outcome::VARIANTS.iter().map(ToString::to_string);
    let phases = Phase::VARIANTS.iter().map(ToString::to_string);
    let kinds = FailureKind::VARIANTS.iter().map(ToString::to_string);
    let first_cells: Vec<_> = CHECKS
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .collect();
    for name in outcomes.chain(phases).chain(kinds) {
        let quoted = format!("`{name}`");
        let told = first_cells.iter().any(|cell| cell.contains(&quoted));
        assert!(told, "no {name} in docs/checks.md");
    }
}

#[tokio::test]
async fn the_site_files_of_this_repository_can_be_imported() -> anyhow::Result<()> {
    let world = World::new().await?;
    let example = blocks(SITES, "yaml").concat();
    for (name, text) in [
        ("example.yaml", example.as_str()),
        ("sites.yaml", include_str!("../../../deploy/sites.yaml")),
    ] {
        let file = world.write(name, text)?;
        let file = file.to_string_lossy();
        world.admin(&["sites", "import", &file])?.success()?;
    }
    Ok(())
}

//! `.env.template` names every variable there is, and no other.

use std::collections::BTreeSet;

use anyhow::ensure;
use e2e::{Binary, World};

#[tokio::test]
async fn every_variable_of_the_template_is_known_to_a_program_and_the_other_way_round()
-> anyhow::Result<()> {
    let template = include_str!("../../../.env.template");
    let in_template: BTreeSet<_> = template.lines().filter_map(variable).collect();
    let world = World::bare().await?;
    let mut known = BTreeSet::new();
    for binary in [Binary::Checker, Binary::Sink, Binary::Api, Binary::Admin] {
        let help = world.run(binary, &["--help"])?.success()?;
        known.extend(
            help.lines()
                .filter_map(|line| line.split_whitespace().next())
                .filter_map(name),
        );
    }
    ensure!(
        known == in_template,
        "programs: {known:#?}\ntemplate: {in_template:#?}"
    );
    Ok(())
}

/// `NAME=value`, or `#NAME=value` for what is optional.
fn variable(line: &str) -> Option<String> {
    let (written, _) = line.strip_prefix('#').unwrap_or(line).split_once('=')?;
    name(written)
}

fn name(word: &str) -> Option<String> {
    let is_name = word.len() > 2 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    is_name.then(|| word.to_owned())
}

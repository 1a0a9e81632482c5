//! `docs/reliability.md` names the test of every fault: those that there are, and all of this suite.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

const DOCUMENT: &str = include_str!("../../../../docs/reliability.md");
const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

/// The tests in the sources of a folder, each as `file::name`.
fn tests_of(folder: &Path) -> anyhow::Result<BTreeSet<String>> {
    let mut tests = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let path: PathBuf = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let module = path.file_stem().context("a file without a name")?;
            let text = fs::read_to_string(&path)?;
            let after_attribute = text.split("test]\n").skip(1);
            let names = after_attribute.filter_map(|text| {
                let (_, rest) = text.split_once("fn ")?;
                rest.split_once('(').map(|(name, _)| name.to_owned())
            });
            tests.extend(names.map(|name| format!("{}::{name}", module.display())));
        }
    }
    Ok(tests)
}

/// What the last column of the tables names.
fn documented() -> BTreeSet<String> {
    let rows = DOCUMENT.lines().filter(|line| line.starts_with("| "));
    let cells = rows.filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
    let quoted = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    quoted
        .filter(|name| name.contains("::"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_table_of_faults_is_that_of_the_tests() -> anyhow::Result<()> {
    let own = tests_of(&Path::new(TESTS).join("faults"))?;
    let mut others = tests_of(Path::new(TESTS))?;
    others.extend(tests_of(&Path::new(TESTS).join("sink"))?);
    let documented = documented();
    for name in &documented {
        ensure!(
            own.contains(name) || others.contains(name),
            "there is no {name}"
        );
    }
    for name in own {
        let about_faults = !name.starts_with("documented::");
        ensure!(
            !about_faults || documented.contains(&name),
            "docs/reliability.md lacks {name}"
        );
    }
    Ok(())
}

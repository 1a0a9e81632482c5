//! What the query cache depends on: the migrations, the queries and the locked dependencies.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::STORE;

/// The migrations in the order in which they are applied.
pub(super) fn migrations(root: &Path) -> Result<Vec<PathBuf>> {
    files(&root.join("migrations"), "sql")
}

/// Changes when any input does.
pub(super) fn fingerprint(root: &Path) -> Result<String> {
    let store = root.join("crates").join(STORE);
    let mut inputs = migrations(root)?;
    collect(&store, "rs", &mut inputs)?;
    collect(&store, "sql", &mut inputs)?;
    inputs.push(root.join("Cargo.lock"));
    inputs.sort();
    let mut hasher = DefaultHasher::new();
    for input in inputs {
        input.strip_prefix(root).unwrap_or(&input).hash(&mut hasher);
        let unreadable = || format!("cannot read {}", input.display());
        fs::read(&input).with_context(unreadable)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// The files of a folder with this extension, by name.
pub(super) fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found: Vec<_> = entries(folder)?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    found.sort();
    Ok(found)
}

/// The same, in all folders below too.
fn collect(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) -> Result<()> {
    found.extend(files(folder, extension)?);
    for inner in entries(folder)?.iter().filter(|path| path.is_dir()) {
        collect(inner, extension, found)?;
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = || format!("cannot read the folder {}", folder.display());
    fs::read_dir(folder)
        .with_context(unreadable)?
        .map(|entry| Ok(entry.with_context(unreadable)?.path()))
        .collect()
}

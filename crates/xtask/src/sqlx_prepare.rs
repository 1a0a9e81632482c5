//! Keeps `.sqlx` in step with the queries and the migrations.
//!
//! The macros of sqlx write what the database says about a query when they are expanded, so
//! `monitor-store` has to be compiled against a database with the current schema.

mod inputs;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, id};

use anyhow::{Context as _, Result, bail};
use local_stack::{Control, Postgres, PostgresOptions};

use crate::{console, step, workspace};

/// The only crate with queries.
const STORE: &str = "monitor-store";

/// File names and contents of a query cache.
type Cache = BTreeMap<String, String>;

/// Writes `.sqlx`, or with `check` fails when it is not what would be written.
pub(crate) fn run(check: bool, control: &Control) -> Result<()> {
    let root = workspace::root()?;
    let wanted = described(&root, control)?;
    let committed = root.join(".sqlx");
    let differences = differences(&read(&committed)?, &wanted);
    match (differences.is_empty(), check) {
        (true, _) => console::say(&format!("✔ .sqlx is current ({} queries)", wanted.len())),
        (false, true) => bail!(
            ".sqlx is not current ({}): run `cargo xtask sqlx-prepare` and commit .sqlx",
            differences.join(", ")
        ),
        (false, false) => {
            write(&committed, &wanted)?;
            console::say(&format!("✔ .sqlx written ({})", differences.join(", ")));
        }
    }
    Ok(())
}

/// What the database says about every query, remembered until a query or the schema changes.
fn described(root: &Path, control: &Control) -> Result<Cache> {
    let fingerprint = inputs::fingerprint(root)?;
    let remembered = workspace::built_programs()?.join(format!("sqlx-prepare/{fingerprint}"));
    if remembered.is_dir() {
        return read(&remembered);
    }
    let cache = describe(root, control)?;
    if cache.is_empty() {
        return Ok(cache);
    }
    // Renamed into place: a half-written one is never taken for a whole one.
    let unfinished = remembered.with_extension(format!("{}.unfinished", id()));
    write(&unfinished, &cache)?;
    drop(fs::rename(&unfinished, &remembered));
    Ok(cache)
}

fn describe(root: &Path, control: &Control) -> Result<Cache> {
    let server = Postgres::start(PostgresOptions {
        control: control.clone(),
        ..PostgresOptions::default()
    })?;
    for migration in inputs::migrations(root)? {
        apply(&server, &migration)?;
    }
    let output = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut compile = Command::new(workspace::cargo());
    compile
        .current_dir(root)
        .args(["check", "--package", STORE, "--all-targets", "--config"])
        .arg(format!(
            "profile.dev.package.{STORE}.codegen-units={}",
            nonce()
        ))
        .arg("--config")
        .arg(format!("profile.dev.package.{STORE}.incremental=false"))
        .env("SQLX_OFFLINE", "false")
        .env("SQLX_OFFLINE_DIR", output.path())
        .env("DATABASE_URL", server.url());
    step::run(
        "compile the queries against the schema",
        &mut compile,
        control,
    )?;
    read(output.path())
}

/// Cargo compiles a crate again when its profile changes; this number changes nothing else about a
/// check, and leaves what the other commands have built as it is.
fn nonce() -> u32 {
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.subsec_nanos());
    1_000 + (nanos ^ id()) % 1_000_000
}

fn apply(server: &Postgres, migration: &Path) -> Result<()> {
    let output = server
        .psql("monitor")
        .arg("--single-transaction")
        .arg("--file")
        .arg(migration)
        .output()
        .context("cannot run psql")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

fn read(folder: &Path) -> Result<Cache> {
    if !folder.exists() {
        return Ok(Cache::new());
    }
    let unreadable = || format!("cannot read {}", folder.display());
    let mut cache = Cache::new();
    for path in inputs::files(folder, "json")? {
        let name = path.file_name().with_context(unreadable)?;
        let text = fs::read_to_string(&path).with_context(unreadable)?;
        cache.insert(name.to_string_lossy().into_owned(), text);
    }
    Ok(cache)
}

fn write(folder: &Path, cache: &Cache) -> Result<()> {
    let unwritable = || format!("cannot write {}", folder.display());
    fs::create_dir_all(folder).with_context(unwritable)?;
    for old in inputs::files(folder, "json")? {
        fs::remove_file(old).with_context(unwritable)?;
    }
    for (name, text) in cache {
        fs::write(folder.join(name), text).with_context(unwritable)?;
    }
    Ok(())
}

/// In words: `2 missing`, `1 left over`, `1 changed`.
fn differences(committed: &Cache, wanted: &Cache) -> Vec<String> {
    let missing = wanted.keys().filter(|name| !committed.contains_key(*name));
    let left_over = committed.keys().filter(|name| !wanted.contains_key(*name));
    let differs =
        |(name, text): &(&String, &String)| committed.get(*name).is_some_and(|old| old != *text);
    [
        (missing.count(), "missing"),
        (left_over.count(), "left over"),
        (wanted.iter().filter(differs).count(), "changed"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(entries: &[(&str, &str)]) -> Cache {
        let owned = entries
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        owned.collect()
    }

    #[test]
    fn every_kind_of_difference_is_counted() {
        let committed = cache(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let wanted = cache(&[("a", "1"), ("b", "2"), ("d", "1")]);
        assert_eq!(
            differences(&committed, &wanted),
            ["1 missing", "1 left over", "1 changed"]
        );
        assert!(differences(&wanted, &wanted).is_empty());
    }

    #[test]
    fn writing_replaces_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &cache(&[("old.json", "{}")])).unwrap();
        let new = cache(&[("new.json", "[]")]);
        write(folder.path(), &new).unwrap();
        assert_eq!(read(folder.path()).unwrap(), new);
    }
}

//! Where PostgreSQL's programs are.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, bail};

use crate::path::{find_executable, is_executable};

const NEEDED: [&str; 3] = ["initdb", "postgres", "psql"];

/// Folders with a folder for each installed version inside.
const VERSIONED: [&str; 4] = [
    "/usr/lib/postgresql",
    "/usr",
    "/opt/homebrew/opt",
    "/usr/local/opt",
];

/// A folder that holds the server and its tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// The folder in `PG_BINDIR` if that is set; else that of `pg_config`, the newest version in
    /// the usual places, or the one in `PATH`.
    pub fn find() -> Result<Self> {
        if let Some(folder) = env::var_os("PG_BINDIR") {
            let folder = PathBuf::from(folder);
            let missing = || {
                format!(
                    "PG_BINDIR={} has no initdb, postgres and psql",
                    folder.display()
                )
            };
            return Self::in_folder(&folder).with_context(missing);
        }
        pg_config_folder()
            .into_iter()
            .chain(versioned_folders())
            .chain(path_folder())
            .find_map(|folder| Self::in_folder(&folder))
            .context("PostgreSQL is not installed: no folder with initdb, postgres and psql; set PG_BINDIR if it is in an unusual place")
    }

    /// The path of one of the programs.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The server's major version.
    pub(crate) fn major_version(&self) -> Result<u32> {
        let output = Command::new(self.program("postgres"))
            .arg("--version")
            .output()
            .context("cannot run postgres --version")?;
        let text = String::from_utf8_lossy(&output.stdout);
        match major_version(&text) {
            Some(version) => Ok(version),
            None => bail!("cannot read the version in {text:?}"),
        }
    }

    fn in_folder(folder: &Path) -> Option<Self> {
        NEEDED
            .iter()
            .all(|name| is_executable(&folder.join(name)))
            .then(|| Self {
                folder: folder.to_owned(),
            })
    }
}

/// From `postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)`.
fn major_version(text: &str) -> Option<u32> {
    let version = text.split_whitespace().nth(2)?;
    version
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

fn pg_config_folder() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(text.trim()))
}

fn path_folder() -> Option<PathBuf> {
    let postgres = find_executable("postgres")?;
    postgres.parent().map(Path::to_owned)
}

/// Newest version first.
fn versioned_folders() -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = VERSIONED
        .iter()
        .flat_map(fs::read_dir)
        .flat_map(Iterator::flatten)
        .filter_map(|entry| {
            let version = version_in_name(entry.file_name().to_str()?)?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    found.sort_by_key(|(version, _)| Reverse(*version));
    found.into_iter().map(|(_, folder)| folder).collect()
}

/// From `15`, or from `postgresql@15` and `pgsql-15` as Homebrew and the makers of PostgreSQL name it.
fn version_in_name(name: &str) -> Option<u32> {
    ["postgresql@", "pgsql-"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name)
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_server_says() {
        let debian = "postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)";
        assert_eq!(major_version(debian), Some(15));
        assert_eq!(major_version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_version("something else"), None);
    }

    #[test]
    fn folders_of_other_packages_are_passed_over() {
        assert_eq!(version_in_name("postgresql@16"), Some(16));
        assert_eq!(version_in_name("15"), Some(15));
        assert_eq!(version_in_name("pgsql-17"), Some(17));
        assert_eq!(version_in_name("openssl@3"), None);
    }
}

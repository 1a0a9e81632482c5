//! Finding a Java that Kafka runs on.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result};

use crate::path::{find_executable, is_executable};

/// The oldest Java that brokers of Kafka 4 run on.
pub const OLDEST: u32 = 17;

/// A `java` of version 17 or newer: in `JAVA_HOME`, in `PATH`, or in the usual places.
pub fn find() -> Result<PathBuf> {
    let home = env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    home.into_iter()
        .chain(find_executable("java"))
        .chain(installed())
        .filter(|java| is_executable(java))
        .find(|java| version(java).is_some_and(|version| version >= OLDEST))
        .with_context(|| {
            format!("no Java {OLDEST} or newer; set JAVA_HOME if it is in an unusual place")
        })
}

fn installed() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["/usr/lib/jvm", "/opt/homebrew/opt", "/usr/local/opt"]
        .iter()
        .flat_map(fs::read_dir)
        .flat_map(Iterator::flatten)
        .map(|entry| entry.path().join("bin/java"))
        .collect();
    found.sort();
    found
}

fn version(java: &Path) -> Option<u32> {
    let output = Command::new(java).arg("-version").output().ok()?;
    major_version(&String::from_utf8_lossy(&output.stderr))
}

/// From `openjdk version "17.0.12" 2024-07-16`, possibly below other lines.
fn major_version(text: &str) -> Option<u32> {
    let (_, after) = text.split_once("version \"")?;
    after
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_java_says() {
        assert_eq!(
            major_version("openjdk version \"17.0.12\" 2024-07-16"),
            Some(17)
        );
        assert_eq!(
            major_version("Picked up X\nopenjdk version \"25\" 2025"),
            Some(25)
        );
        assert_eq!(major_version("java version \"1.8.0_292\""), Some(1));
        assert_eq!(major_version("not found"), None);
    }
}

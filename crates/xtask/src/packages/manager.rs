//! The system's package manager.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use local_stack::{Control, find_executable};
use nix::unistd::Uid;

use super::requirement::Requirement;
use crate::step;

const POSTGRES_COMMON: &str = "postgresql-common";
const CLUSTER_SETTINGS: &str = "/etc/postgresql-common/createcluster.conf";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manager {
    Apt,
    Dnf,
    Apk,
    Brew,
}

impl Manager {
    pub(super) fn find() -> Option<Self> {
        let known = [
            ("apt-get", Self::Apt),
            ("dnf", Self::Dnf),
            ("apk", Self::Apk),
            ("brew", Self::Brew),
        ];
        let installed = |(name, _): &(&str, Self)| find_executable(name).is_some();
        known
            .into_iter()
            .find(installed)
            .map(|(_, manager)| manager)
    }

    /// The names of the packages here.
    pub(super) fn packages(self, requirements: &[&Requirement]) -> Vec<String> {
        let name = |one: &&Requirement| match self {
            Self::Apt => first_available(one.apt),
            Self::Dnf => one.dnf.to_owned(),
            Self::Apk => one.apk.to_owned(),
            Self::Brew => one.brew.to_owned(),
        };
        requirements.iter().map(name).collect()
    }

    /// For a person to type.
    pub(super) fn command_line(self, packages: &[String]) -> String {
        let packages = packages.join(" ");
        match self {
            Self::Apt => format!("sudo apt-get install -y {packages}"),
            Self::Dnf => format!("sudo dnf install -y {packages}"),
            Self::Apk => format!("sudo apk add {packages}"),
            Self::Brew => format!("brew install {packages}"),
        }
    }

    pub(super) fn install(self, packages: &[String], control: &Control) -> Result<()> {
        match self {
            Self::Apt => apt(packages, control),
            Self::Dnf => install_with("dnf", &["install", "-y"], packages, control),
            Self::Apk => install_with("apk", &["add"], packages, control),
            Self::Brew if Uid::effective().is_root() => bail!("Homebrew does not run as root"),
            Self::Brew => install_with("brew", &["install"], packages, control),
        }
    }
}

/// Debian sets up and starts a database server when PostgreSQL is installed; ours is another one,
/// so that is switched off while we install, and back on afterwards.
fn apt(packages: &[String], control: &Control) -> Result<()> {
    let with_postgres = packages.iter().any(|package| package == "postgresql");
    if !with_postgres {
        return apt_install(packages, control);
    }
    apt_install(&[POSTGRES_COMMON.to_owned()], control)?;
    set_main_cluster(&["set", "create_main_cluster", "off"]);
    let installed = apt_install(packages, control);
    set_main_cluster(&["remove", "create_main_cluster"]);
    installed
}

/// The lists of packages may be absent or old: then they are fetched, and it is tried again.
fn apt_install(packages: &[String], control: &Control) -> Result<()> {
    let install = ["install", "-y", "-q", "--no-install-recommends"];
    if install_with("apt-get", &install, packages, control).is_ok() {
        return Ok(());
    }
    control.check()?;
    install_with("apt-get", &["update", "-q"], &[], control)?;
    install_with("apt-get", &install, packages, control)
}

/// Without effect where it fails: a server too many is a nuisance, not an error.
fn set_main_cluster(change: &[&str]) {
    let mut tool = Command::new("pg_conftool");
    tool.arg(CLUSTER_SETTINGS).args(change).output().ok();
}

/// The first of the alternatives that apt knows; the first of all when it knows none yet.
fn first_available(alternatives: &str) -> String {
    let known = |package: &&str| {
        let mut query = Command::new("apt-cache");
        query.args(["show", "--quiet=2", package]);
        query
            .output()
            .is_ok_and(|output| output.status.success() && !output.stdout.is_empty())
    };
    let mut names = alternatives.split('|');
    let first = names.clone().next().unwrap_or_default();
    if first == alternatives {
        return first.to_owned();
    }
    names.find(known).unwrap_or(first).to_owned()
}

/// Quietly: what package managers say is of interest only when they fail.
fn install_with(
    program: &str,
    args: &[&str],
    packages: &[String],
    control: &Control,
) -> Result<()> {
    let mut output = tempfile::tempfile().context("cannot make a temporary file")?;
    let handle = || output.try_clone().context("cannot share a file");
    let mut command = Command::new(program);
    command
        .args(args)
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(handle()?)
        .stderr(handle()?);
    let status = step::status(&mut command, control)?;
    if status.success() {
        return Ok(());
    }
    let command = format!("{program} {} {}", args.join(" "), packages.join(" "));
    bail!("`{command}` failed ({status})\n{}", last_lines(&mut output));
}

fn last_lines(output: &mut File) -> String {
    let mut bytes = Vec::new();
    // Without its output the failure is still told.
    output.rewind().ok();
    output.read_to_end(&mut bytes).ok();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::FOR_BUILDING;

    #[test]
    fn a_person_is_given_the_exact_command() {
        let all: Vec<_> = FOR_BUILDING.iter().collect();
        let packages = Manager::Apk.packages(&all);
        let command = Manager::Apk.command_line(&packages);
        assert_eq!(
            command,
            "sudo apk add build-base make pkgconf openssl-dev postgresql"
        );
    }
}

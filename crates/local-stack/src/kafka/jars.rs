//! The official jars of Apache Kafka, fetched once with Maven and cached for the user.

use std::env;
use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::control::Control;
use crate::path::find_executable;

/// The version of Kafka that is run.
pub const VERSION: &str = "4.1.1";

const POM: &str = include_str!("../../../../deploy/local/kafka/pom.xml");
const GOAL: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";
const FETCH_LIMIT: Duration = Duration::from_mins(15);

/// Whether the jars are in the cache, so that Maven is not needed.
#[must_use]
pub fn are_cached() -> bool {
    cache().is_ok_and(|cache| cache.join("lib").is_dir())
}

/// The folder with the jars; they are fetched now if they are not in the cache.
pub fn locate_or_fetch(control: &Control) -> Result<PathBuf> {
    let cache = cache()?;
    let lib = cache.join("lib");
    if lib.is_dir() {
        return Ok(lib);
    }
    fs::create_dir_all(&cache)
        .with_context(|| format!("cannot make the folder {}", cache.display()))?;
    let _lock = lock(&cache.join("lock"), control)?;
    // Somebody else may have fetched them while we waited.
    if !lib.is_dir() {
        fetch(&cache, &lib, control)?;
    }
    Ok(lib)
}

fn cache() -> Result<PathBuf> {
    let caches = match env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()) {
        Some(caches) => PathBuf::from(caches),
        None => Path::new(&env::var_os("HOME").context("HOME is not set")?).join(".cache"),
    };
    Ok(caches
        .join("aiven-monitor")
        .join(format!("kafka-{VERSION}")))
}

/// Two fetches at once would only wait for each other's downloads.
fn lock(path: &Path, control: &Control) -> Result<File> {
    let file = File::create(path).with_context(|| format!("cannot open {}", path.display()))?;
    let taken = control.poll(FETCH_LIMIT, || Ok(file.try_lock().is_ok().then_some(())))?;
    if taken.is_none() {
        bail!(
            "another process has fetched Kafka for too long ({})",
            path.display()
        );
    }
    Ok(file)
}

/// Downloads under another name first: an aborted download is never taken for a whole one.
fn fetch(cache: &Path, lib: &Path, control: &Control) -> Result<()> {
    let mvn = find_executable("mvn").context("Maven (mvn) is not installed")?;
    control.report(&format!(
        "fetching Apache Kafka {VERSION} with Maven (46 MB, once)"
    ));
    let unfinished = cache.join("lib.unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)
            .with_context(|| format!("cannot remove {}", unfinished.display()))?;
    }
    let pom = cache.join("pom.xml");
    fs::write(&pom, POM).with_context(|| format!("cannot write {}", pom.display()))?;
    let mut command = Command::new(mvn);
    command
        .args(["--quiet", "--batch-mode", "-Dstyle.color=never", "--file"])
        .arg(&pom)
        .args([GOAL, "-DincludeScope=runtime"])
        .arg(format!("-DoutputDirectory={}", unfinished.display()));
    run(command, &cache.join("fetch.log"), control)?;
    fs::rename(&unfinished, lib).with_context(|| format!("cannot make {}", lib.display()))
}

/// Runs Maven with the caller's own environment: proxies and mirrors are set there.
fn run(mut command: Command, log: &Path, control: &Control) -> Result<()> {
    let unwritable = || format!("cannot write {}", log.display());
    let output = File::create(log).with_context(unwritable)?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(output.try_clone().with_context(unwritable)?)
        .stderr(output)
        .process_group(0)
        .spawn()
        .context("cannot start mvn")?;
    let ended = control.poll(FETCH_LIMIT, || {
        child.try_wait().context("cannot wait for mvn")
    });
    if let Ok(Some(status)) = &ended
        && status.success()
    {
        return Ok(());
    }
    // Fails when it has ended already, which is what is wanted.
    killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL).ok();
    child.wait().context("cannot wait for mvn")?;
    ended?;
    let text = fs::read_to_string(log).unwrap_or_default();
    let first = text.lines().find(|line| line.contains("ERROR"));
    bail!(
        "Maven cannot fetch Kafka: {} (more in {})",
        first.unwrap_or("it does not say why"),
        log.display()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_version_is_the_one_that_maven_fetches() {
        assert!(POM.contains(&format!("<version>{VERSION}</version>")));
    }
}

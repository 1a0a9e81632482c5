//! Finding the children of a run that was killed, where the system did not end them with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::control::Control;

const PATIENCE: Duration = Duration::from_secs(10);

/// A file with the id of a running process and what its command line contains.
#[derive(Debug)]
pub(super) struct PidFile(PathBuf);

impl PidFile {
    pub(super) fn write(path: &Path, pid: u32, marker: &str) -> Result<Self> {
        fs::write(path, format!("{pid}\n{marker}\n"))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // A file left behind is harmless: what it names is looked at before it is believed.
        drop(fs::remove_file(&self.0));
    }
}

/// Stops the process that the file names, if it still runs and is the one that was meant.
pub(crate) fn stop_orphan(path: &Path) -> Result<()> {
    let Ok(text) = fs::read_to_string(path) else {
        return Ok(());
    };
    let mut lines = text.lines();
    let (Some(pid), Some(marker)) = (lines.next().and_then(|pid| pid.parse().ok()), lines.next())
    else {
        return Ok(());
    };
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
        if !runs(pid, marker) || kill(Pid::from_raw(pid), signal).is_err() {
            return Ok(());
        }
        let gone = || Ok((!runs(pid, marker)).then_some(()));
        if Control::default().poll(PATIENCE, gone)?.is_some() {
            return Ok(());
        }
    }
    bail!("process {pid} of an earlier run does not stop ({marker})");
}

fn runs(pid: i32, marker: &str) -> bool {
    command_line(pid).is_some_and(|line| line.contains(marker))
}

/// Empty for a process that has ended and was not waited for.
fn command_line(pid: i32) -> Option<String> {
    if let Ok(bytes) = fs::read(format!("/proc/{pid}/cmdline")) {
        return Some(String::from_utf8_lossy(&bytes).replace('\0', " "));
    }
    let output = Command::new("ps")
        .args(["-ww", "-o", "command=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

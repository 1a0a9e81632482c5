//! Stopping a service in its tracks, with all the processes that it consists of.

use std::fs;

use anyhow::ensure;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A process and those that it had started, none of which runs until this is dropped.
#[derive(Debug)]
pub struct Frozen(Vec<Pid>);

/// Stops a process and all that it has started.
pub fn freeze(process: u32) -> anyhow::Result<Frozen> {
    let mut frozen = Frozen(Vec::new());
    // The parent first: it starts no others then.
    frozen.stop(process)?;
    for child in children(process)? {
        // One that has ended meanwhile is fine.
        frozen.stop(child).ok();
    }
    Ok(frozen)
}

impl Frozen {
    fn stop(&mut self, process: u32) -> anyhow::Result<()> {
        let process = Pid::from_raw(process.cast_signed());
        kill(process, Signal::SIGSTOP)?;
        self.0.push(process);
        Ok(())
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for process in &self.0 {
            // One that was killed meanwhile is fine.
            kill(*process, Signal::SIGCONT).ok();
        }
    }
}

/// The processes that this one has started and that run.
fn children(parent: u32) -> anyhow::Result<Vec<u32>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let status = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // `process (name) state parent …`, and the name may hold anything.
        let after_name = status.rsplit_once(") ").map(|(_, rest)| rest);
        let its_parent = after_name.and_then(|rest| rest.split(' ').nth(1)?.parse::<u32>().ok());
        let process = entry.file_name().to_string_lossy().parse();
        if let (Some(its_parent), Ok(process)) = (its_parent, process)
            && its_parent == parent
        {
            children.push(process);
        }
    }
    ensure!(parent != 0, "process 0 has no children of ours");
    Ok(children)
}

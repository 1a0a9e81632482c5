//! Stopping a service in its tracks, with all the processes that it consists of, or just one of its
//! threads.

use std::fs;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, ensure};
use nix::sys::ptrace;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
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

/// A thread of another process, which does not run until this is dropped.
#[derive(Debug)]
pub struct FrozenThread {
    wake: Option<mpsc::Sender<()>>,
    holder: Option<JoinHandle<()>>,
}

/// Stops the thread of this name in a process that this one has started, and no other, as a debugger
/// does: whoever stops a thread is the only one who can wake it.
pub fn freeze_thread(process: u32, name: &str) -> anyhow::Result<FrozenThread> {
    let thread = thread_called(process, name)?;
    let (wake, asleep) = mpsc::channel::<()>();
    let (told, stopped) = mpsc::channel();
    let holder = thread::spawn(move || {
        told.send(stop_thread(thread)).ok();
        // An error is the end of the other side.
        asleep.recv().ok();
        // A thread that is gone needs no waking.
        ptrace::detach(thread, None).ok();
    });
    let frozen = FrozenThread {
        wake: Some(wake),
        holder: Some(holder),
    };
    stopped.recv().context("nobody stopped the thread")??;
    Ok(frozen)
}

fn stop_thread(thread: Pid) -> anyhow::Result<()> {
    ptrace::seize(thread, ptrace::Options::empty()).context("cannot hold a thread")?;
    ptrace::interrupt(thread)?;
    waitpid(thread, Some(WaitPidFlag::__WALL))?;
    Ok(())
}

fn thread_called(process: u32, name: &str) -> anyhow::Result<Pid> {
    for entry in fs::read_dir(format!("/proc/{process}/task"))?.flatten() {
        let its_name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        if its_name.trim_end() == name {
            let number = entry.file_name().to_string_lossy().parse()?;
            return Ok(Pid::from_raw(number));
        }
    }
    anyhow::bail!("{process} has no thread {name}")
}

impl Drop for FrozenThread {
    fn drop(&mut self) {
        drop(self.wake.take());
        if let Some(holder) = self.holder.take() {
            // It cannot panic.
            holder.join().ok();
        }
    }
}

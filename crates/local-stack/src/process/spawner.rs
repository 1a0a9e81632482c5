//! Starts children from a thread that lives as long as this process.
//!
//! The signal that a child gets when its parent dies is sent when the *thread* that started it
//! ends. A test's thread ends with the test; this one never does.

use std::process::{Child, Command};
use std::sync::LazyLock;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::{io, thread};

struct Job {
    command: Command,
    started: SyncSender<io::Result<Child>>,
}

static SPAWNER: LazyLock<Option<Sender<Job>>> = LazyLock::new(|| {
    let (sender, jobs) = mpsc::channel();
    let thread = thread::Builder::new().name("spawner".to_owned());
    thread.spawn(move || run(&jobs)).ok().map(|_| sender)
});

pub(super) fn spawn(command: Command) -> io::Result<Child> {
    let gone = || io::Error::other("the thread that starts processes is gone");
    let (started, answer) = mpsc::sync_channel(1);
    let spawner = SPAWNER.as_ref().ok_or_else(gone)?;
    spawner.send(Job { command, started }).map_err(|_| gone())?;
    answer.recv().map_err(|_| gone())?
}

fn run(jobs: &Receiver<Job>) {
    for mut job in jobs {
        // Whoever asked waits for the answer.
        drop(job.started.send(job.command.spawn()));
    }
}

//! A child process: started with a log, asked to stop, killed when it does not listen.

mod pid_file;
mod program;
mod spawner;
mod wrapper;

use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
pub use nix::sys::signal::Signal;
use nix::sys::signal::{kill, killpg};
use nix::unistd::Pid;

pub(crate) use self::pid_file::stop_orphan;
pub use self::program::{Program, StopStep};
use crate::control::Control;
use crate::log::Log;

const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// A running (or ended) child process. Dropping it stops it.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: Log,
    stop: Vec<StopStep>,
    pid_file: Option<pid_file::PidFile>,
}

impl Process {
    /// Starts the program, after stopping the one that an earlier run left behind.
    pub fn start(program: &Program) -> Result<Self> {
        if let Some(path) = &program.pid_file {
            stop_orphan(path)?;
        }
        let log = Log::continue_at(&program.log)?;
        let command = wrapper::command(program, log.open()?)?;
        let child = spawner::spawn(command)
            .with_context(|| format!("cannot start {}", program.executable.display()))?;
        let mut process = Self {
            name: program.name.clone(),
            child,
            log,
            stop: program.stop.clone(),
            pid_file: None,
        };
        if let Some(path) = &program.pid_file {
            let written = pid_file::PidFile::write(path, process.id(), &program.marker())?;
            process.pid_file = Some(written);
        }
        Ok(process)
    }

    /// What the process is called in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// How it ended, if it has.
    pub fn exited(&mut self) -> Result<Option<ExitStatus>> {
        self.child
            .try_wait()
            .with_context(|| format!("cannot ask for the state of {}", self.name))
    }

    /// Waits until `ready` has a value; fails when the process ends or `limit` passes before that.
    pub fn wait_until_ready<T>(
        &mut self,
        control: &Control,
        limit: Duration,
        mut ready: impl FnMut(&Log) -> Option<T>,
    ) -> Result<T> {
        let value = control.poll(limit, || {
            if let Some(value) = ready(&self.log) {
                return Ok(Some(value));
            }
            self.fail_if_exited().map(|()| None)
        })?;
        value.with_context(|| {
            let seconds = limit.as_secs();
            format!(
                "{} was not ready after {seconds} s\n{}",
                self.name,
                self.log.tail()
            )
        })
    }

    /// Fails, with the end of its log, if the process has ended.
    pub fn fail_if_exited(&mut self) -> Result<()> {
        if let Some(status) = self.exited()? {
            bail!("{} ended ({status})\n{}", self.name, self.log.tail());
        }
        Ok(())
    }

    /// Sends a signal to the process, if it still runs.
    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        if self.exited()?.is_some() {
            return Ok(());
        }
        kill(self.pid(), signal)
            .with_context(|| format!("cannot send {signal} to {} ({})", self.name, self.id()))
    }

    /// Asks it to stop, more and more firmly, and waits until it has; how it ended.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        for step in self.stop.clone() {
            self.signal(step.signal)?;
            if let Some(status) = self.wait(step.patience)? {
                return Ok(self.ended(status));
            }
        }
        self.kill()
    }

    /// Kills it and all of its process group at once, as a crash would.
    pub fn kill(&mut self) -> Result<ExitStatus> {
        if self.exited()?.is_none() {
            killpg(self.pid(), Signal::SIGKILL)
                .with_context(|| format!("cannot kill {} ({})", self.name, self.id()))?;
        }
        let status = self
            .child
            .wait()
            .with_context(|| format!("cannot wait for {}", self.name))?;
        Ok(self.ended(status))
    }

    fn wait(&mut self, patience: Duration) -> Result<Option<ExitStatus>> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.exited()? {
                return Ok(Some(status));
            }
            if started.elapsed() >= patience {
                return Ok(None);
            }
            thread::sleep(POLL_INTERVAL);
        }
    }

    fn ended(&mut self, status: ExitStatus) -> ExitStatus {
        self.pid_file = None;
        status
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error here has nowhere to go: the process is gone, or not ours any more.
        drop(self.stop());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn shell(folder: &std::path::Path, script: &str) -> Program {
        Program::new("shell", "/bin/sh", folder.join("shell.log")).args(["-c", script])
    }

    const LIMIT: Duration = Duration::from_secs(10);

    fn wait_until_up(process: &mut Process) {
        let up = |log: &Log| log.text().contains("up").then_some(());
        process
            .wait_until_ready(&Control::default(), LIMIT, up)
            .unwrap();
    }

    #[test]
    fn a_process_that_listens_is_stopped_by_its_first_signal() {
        let folder = tempfile::tempdir().unwrap();
        let script = "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.01; done";
        let mut process = Process::start(&shell(folder.path(), script)).unwrap();
        wait_until_up(&mut process);
        assert_eq!(process.stop().unwrap().code(), Some(3));
        assert_eq!(process.log().text(), "up\nbye\n");
    }

    #[test]
    fn a_process_that_does_not_listen_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let script = "trap '' TERM; echo up; while :; do sleep 0.01; done";
        let program = shell(folder.path(), script)
            .stop_with([StopStep::new(Signal::SIGTERM, Duration::from_millis(50))]);
        let mut process = Process::start(&program).unwrap();
        wait_until_up(&mut process);
        assert_eq!(process.stop().unwrap().code(), None);
    }

    #[test]
    fn an_early_end_is_told_with_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Process::start(&shell(folder.path(), "echo no luck; exit 7")).unwrap();
        let error = process
            .wait_until_ready(&Control::default(), LIMIT, |_| None::<()>)
            .unwrap_err()
            .to_string();
        assert!(error.contains("exit status: 7"), "{error}");
        assert!(error.contains("no luck"), "{error}");
    }

    #[test]
    fn an_orphan_of_an_earlier_run_is_stopped_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let pid_file = folder.path().join("shell.pid");
        let script = "echo up; while :; do sleep 0.01; done";
        let program = shell(folder.path(), script).pid_file(&pid_file);
        let mut orphan = Process::start(&program).unwrap();
        wait_until_up(&mut orphan);
        let second = Process::start(&program).unwrap();
        // Reaping is this test's part: the orphan is still our child here.
        let ended = Control::default().poll(LIMIT, || orphan.exited());
        assert!(ended.unwrap().is_some());
        assert!(
            fs::read_to_string(&pid_file)
                .unwrap()
                .starts_with(&second.id().to_string())
        );
    }

    #[test]
    fn a_pid_file_that_names_a_strangers_process_harms_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let mut stranger =
            Process::start(&shell(folder.path(), "while :; do sleep 0.01; done")).unwrap();
        let pid_file = folder.path().join("other.pid");
        fs::write(&pid_file, format!("{}\n/somebody/else\n", stranger.id())).unwrap();
        stop_orphan(&pid_file).unwrap();
        assert!(stranger.exited().unwrap().is_none());
    }
}

//! What to run, and how it is asked to stop.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::user::ServiceUser;

/// One way of asking a process to stop, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub struct StopStep {
    pub(crate) signal: Signal,
    pub(crate) patience: Duration,
}

impl StopStep {
    /// Sends `signal`, then waits for `patience` before the next step.
    #[must_use]
    pub fn new(signal: Signal, patience: Duration) -> Self {
        Self { signal, patience }
    }
}

/// A program with all that it needs to run. Its environment holds only what is given here, and
/// `PATH`, `HOME` and the time zone: the caller's own settings must not reach a service.
#[derive(Clone, Debug)]
pub struct Program {
    pub(crate) name: String,
    pub(crate) executable: PathBuf,
    pub(crate) log: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) directory: Option<PathBuf>,
    pub(crate) user: Option<ServiceUser>,
    pub(crate) pid_file: Option<PathBuf>,
    pub(crate) stdin_open: bool,
    pub(crate) stop: Vec<StopStep>,
}

impl Program {
    /// `executable`, called `name` in messages, whose output is appended to `log`.
    #[must_use]
    pub fn new(name: &str, executable: impl Into<PathBuf>, log: impl Into<PathBuf>) -> Self {
        Self {
            name: name.to_owned(),
            executable: executable.into(),
            log: log.into(),
            args: Vec::new(),
            env: Vec::new(),
            directory: None,
            user: None,
            pid_file: None,
            stdin_open: false,
            stop: vec![StopStep::new(Signal::SIGTERM, Duration::from_secs(15))],
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Its working directory.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Where its process id is written, so that the next run finds it if this one dies.
    #[must_use]
    pub fn pid_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.pid_file = Some(path.into());
        self
    }

    /// Leaves its standard input open, and silent, until the process is dropped.
    #[must_use]
    pub fn keep_stdin_open(mut self) -> Self {
        self.stdin_open = true;
        self
    }

    /// How it is asked to stop, step by step; after the last one it is killed.
    #[must_use]
    pub fn stop_with(mut self, steps: impl IntoIterator<Item = StopStep>) -> Self {
        self.stop = steps.into_iter().collect();
        self
    }

    pub(crate) fn user(mut self, user: Option<ServiceUser>) -> Self {
        self.user = user;
        self
    }

    /// What its command line is recognised by later: the argument that names a place, if any.
    pub(crate) fn marker(&self) -> String {
        let absolute = |arg: &&OsString| Path::new(arg).is_absolute();
        let place = self.args.iter().rev().find(absolute);
        place
            .unwrap_or(&self.executable.clone().into_os_string())
            .to_string_lossy()
            .into_owned()
    }
}

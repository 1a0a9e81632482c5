//! The real binaries as child processes.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};
pub use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde_json::Value;

use crate::wait::eventually;

/// One of our executables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// `checker`
    Checker,
    /// `sink`
    Sink,
    /// `api`
    Api,
    /// `admin`
    Admin,
}

impl Binary {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Checker => "checker",
            Self::Sink => "sink",
            Self::Api => "api",
            Self::Admin => "admin",
        }
    }

    /// Its path: in the folder of the running program, or (for a test) in the one above.
    pub fn path(self) -> anyhow::Result<PathBuf> {
        let own = std::env::current_exe()?;
        let folders = own.ancestors().skip(1).take(2);
        let mut paths = folders.map(|folder| folder.join(self.name()));
        let path = paths.find(|path| path.exists());
        path.with_context(|| {
            let name = self.name();
            format!("{name} is not built: run the tests with `cargo xtask test`")
        })
    }
}

/// Only what the test says reaches it: neither this process's environment nor a developer's `.env`.
fn isolate<'a>(
    command: &'a mut Command,
    environment: &BTreeMap<String, String>,
) -> &'a mut Command {
    command
        .env_clear()
        .envs(environment)
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
}

/// A command that has run to its end.
#[derive(Debug)]
pub struct Finished {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Finished {
    /// Standard output, if the command succeeded.
    pub fn success(self) -> anyhow::Result<String> {
        match self.code {
            Some(0) => Ok(self.stdout),
            code => bail!("exit code {code:?}\n{}\n{}", self.stdout, self.stderr),
        }
    }
}

/// Runs a binary to its end.
pub fn run(
    binary: Binary,
    arguments: &[&str],
    environment: &BTreeMap<String, String>,
) -> anyhow::Result<Finished> {
    let mut command = Command::new(binary.path()?);
    let output = isolate(&mut command, environment)
        .args(arguments)
        .output()?;
    Ok(Finished {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// A running binary; killed when dropped.
pub struct Service {
    binary: Binary,
    child: Child,
    log: Arc<Mutex<Vec<String>>>,
}

impl Service {
    /// Starts a service with JSON logs and an ops server on a free port.
    pub fn start(
        binary: Binary,
        arguments: &[&str],
        environment: &BTreeMap<String, String>,
    ) -> anyhow::Result<Self> {
        let command = Command::new(binary.path()?);
        Self::spawn(command, binary, arguments, environment)
    }

    /// The same by a command that becomes what its last arguments say.
    pub fn start_through(
        mut command: Command,
        binary: Binary,
        arguments: &[&str],
        environment: &BTreeMap<String, String>,
    ) -> anyhow::Result<Self> {
        command.arg(binary.path()?);
        Self::spawn(command, binary, arguments, environment)
    }

    fn spawn(
        mut command: Command,
        binary: Binary,
        arguments: &[&str],
        environment: &BTreeMap<String, String>,
    ) -> anyhow::Result<Self> {
        isolate(&mut command, environment)
            .args(arguments)
            .env("LOG_FORMAT", "json")
            .env("OPS_LISTEN", "127.0.0.1:0");
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {binary:?}"))?;
        let log = Arc::new(Mutex::new(Vec::new()));
        let stderr = child.stderr.take().context("no standard error")?;
        let lines = Arc::clone(&log);
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                lines
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(line);
            }
        });
        Ok(Self { binary, child, log })
    }

    /// Everything that it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .join("\n")
    }

    /// Waits until its log contains `text`.
    pub async fn logs(&self, text: &str) -> anyhow::Result<()> {
        let name = self.binary.name();
        eventually(&format!("{name} logs {text:?}"), || async {
            let log = self.log();
            if log.contains(text) {
                Ok(Some(()))
            } else {
                bail!("it logged:\n{log}")
            }
        })
        .await
    }

    /// Address of its ops server, from the log.
    #[must_use]
    pub fn ops_address(&self) -> Option<String> {
        self.logged("ops.address")
    }

    /// What it has logged first under this name.
    #[must_use]
    pub fn logged(&self, field: &str) -> Option<String> {
        let log = self.log();
        let mut lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.find_map(|line| Some(line.get(field)?.as_str()?.to_owned()))
    }

    /// Status code and body of a path of its ops server.
    pub fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let address = self
            .ops_address()
            .with_context(|| format!("no address in:\n{}", self.log()))?;
        let mut stream = TcpStream::connect(&address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        let mut response = String::new();
        stream.read_to_string(&mut response)?;
        let status = response.split(' ').nth(1).context("no status")?.parse()?;
        let (_, body) = response.split_once("\r\n\r\n").context("no body")?;
        Ok((status, body.to_owned()))
    }

    /// Waits until it says that it is ready.
    pub async fn is_ready(&self) -> anyhow::Result<()> {
        eventually(&format!("{} is ready", self.binary.name()), || async {
            match self.get("/readyz")? {
                (200, _) => Ok(Some(())),
                (status, body) => bail!("{status} {body}"),
            }
        })
        .await
    }

    /// Waits until it says that it is not ready, with all of `reasons` in its words.
    pub async fn is_not_ready_because(&self, reasons: &[&str]) -> anyhow::Result<()> {
        eventually(
            &format!("{} is not ready: {reasons:?}", self.binary.name()),
            || async {
                let (status, body) = self.get("/readyz")?;
                let told = status == 503 && reasons.iter().all(|reason| body.contains(reason));
                if told {
                    Ok(Some(()))
                } else {
                    bail!("{status} {body}")
                }
            },
        )
        .await
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let process = Pid::from_raw(i32::try_from(self.child.id())?);
        Ok(kill(process, signal)?)
    }

    /// Kills it, as a crash would; its log.
    pub async fn kill(mut self) -> anyhow::Result<String> {
        self.signal(Signal::SIGKILL)?;
        self.ended().await?;
        Ok(self.log())
    }

    /// Sends SIGTERM and waits for the end.
    pub async fn terminate(mut self) -> anyhow::Result<(Option<i32>, String)> {
        self.signal(Signal::SIGTERM)?;
        let status = self.ended().await?;
        Ok((status.code(), self.log()))
    }

    /// Waits until it ends by itself; its exit code and log.
    pub async fn finish(mut self) -> anyhow::Result<(Option<i32>, String)> {
        let status = self.ended().await?;
        Ok((status.code(), self.log()))
    }

    async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        let (name, log) = (self.binary.name(), Arc::clone(&self.log));
        let child = Mutex::new(&mut self.child);
        eventually(&format!("{name} ends"), || async {
            let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
            match child.try_wait()? {
                Some(status) => Ok(Some(status)),
                None => bail!(
                    "{}",
                    log.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .join("\n")
                ),
            }
        })
        .await
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Already ended is fine.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

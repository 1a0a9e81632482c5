//! The monitor's own programs, and the demo targets.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use local_stack::{Control, Process, Program, Signal, StopStep};

use super::sites;
use crate::local::{EnvFile, Local};
use crate::{console, workspace};

const ADMIN_LIMIT: Duration = Duration::from_mins(2);
const API_LIMIT: Duration = Duration::from_secs(30);
/// Where people look for it.
const API_ADDRESS: &str = "127.0.0.1:8080";
const TARGETS_LIMIT: Duration = Duration::from_secs(10);
/// More than a service gives its own work at the end.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// What is monitored.
#[derive(Debug)]
pub(super) enum Sites {
    /// The demo's, and whatever else the database has.
    Demo,
    /// Those of a file, and no others.
    Own(PathBuf),
}

/// What runs, in the order in which it is stopped.
#[derive(Debug)]
pub(super) struct Services<'a> {
    local: &'a Local,
    variables: &'a [(&'static str, String)],
    running: Vec<Process>,
}

impl<'a> Services<'a> {
    /// Programs that get these settings, and no others.
    pub(super) fn new(local: &'a Local, variables: &'a [(&'static str, String)]) -> Self {
        Self {
            local,
            variables,
            running: Vec::new(),
        }
    }

    /// Migrates, makes the topics, imports the sites, then starts everything. Returns where the API is.
    pub(super) fn start(
        &mut self,
        sites: &Sites,
        topics_exist: bool,
        control: &Control,
    ) -> Result<String> {
        self.admin("migrate the database", &["migrate"], control)?;
        if !topics_exist {
            self.admin("create the topics", &["topics", "create"], control)?;
        }
        self.import(sites, control)?;
        self.start_service("sink")?;
        self.start_service("checker")?;
        let api = self.start_api(control)?;
        console::say("✔ checker, sink and API started");
        Ok(api)
    }

    /// Names the one that has ended, with the end of its log.
    pub(super) fn fail_if_one_ended(&mut self) -> Result<()> {
        self.running
            .iter_mut()
            .try_for_each(Process::fail_if_exited)
    }

    /// The last one started first: nothing is stopped before what depends on it.
    pub(super) fn stop(&mut self) -> Result<()> {
        while let Some(mut process) = self.running.pop() {
            process.stop()?;
        }
        Ok(())
    }

    /// `.local/env`, with which everybody else finds the services.
    pub(super) fn write_env(&self, api: &str) -> Result<EnvFile> {
        let mut variables = self.variables.to_vec();
        variables.push(("MONITOR_API", api.to_owned()));
        self.local.write_env(&variables)
    }

    fn import(&mut self, sites: &Sites, control: &Control) -> Result<()> {
        let what = "import the sites";
        match sites {
            Sites::Own(file) => {
                let file = file.to_string_lossy();
                self.admin(what, &["sites", "import", "--prune", &file], control)
            }
            Sites::Demo => {
                let file = self.local.path("demo-sites.yaml");
                self.start_targets(&file, control)?;
                self.admin(what, &["sites", "import", &file.to_string_lossy()], control)
            }
        }
    }

    fn start_targets(&mut self, demo_sites: &Path, control: &Control) -> Result<()> {
        let ports = self.local.path("targets.ports");
        let template = workspace::root()?.join("deploy/local/demo-sites.yaml");
        let program = self.program("demo-targets")?.args([&ports]);
        let before = modified(&ports);
        let mut process = Process::start(&program)?;
        process.wait_until_ready(control, TARGETS_LIMIT, |_| {
            (modified(&ports) > before).then_some(())
        })?;
        self.running.push(process);
        sites::write(&template, &ports, demo_sites)
    }

    fn start_service(&mut self, name: &str) -> Result<()> {
        let program = self.with_variables(self.program(name)?);
        self.running.push(Process::start(&program)?);
        Ok(())
    }

    /// At the same port as ever, unless somebody else is there.
    fn start_api(&mut self, control: &Control) -> Result<String> {
        let is_free = TcpListener::bind(API_ADDRESS).is_ok();
        let listen = if is_free { API_ADDRESS } else { "127.0.0.1:0" };
        let program = self
            .with_variables(self.program("api")?)
            .env("API_LISTEN", listen);
        let mut process = Process::start(&program)?;
        let address = process.wait_until_ready(control, API_LIMIT, |log| {
            let text = log.text();
            let (_, address) = text.rsplit_once("api.address=")?;
            Some(address.lines().next()?.trim().to_owned())
        })?;
        self.running.push(process);
        Ok(format!("http://{address}"))
    }

    /// Runs `admin` to its end.
    fn admin(&self, what: &str, args: &[&str], control: &Control) -> Result<()> {
        let started = Instant::now();
        let program = self.with_variables(self.program("admin")?).args(args);
        let mut process = Process::start(&program)?;
        let ended = control.poll(ADMIN_LIMIT, || process.exited())?;
        let Some(status) = ended else {
            bail!(
                "cannot {what}: admin takes too long\n{}",
                process.log().tail()
            );
        };
        if !status.success() {
            bail!("cannot {what} ({status})\n{}", process.log().tail());
        }
        console::say(&format!("✔ {what} ({})", console::elapsed(started)));
        Ok(())
    }

    fn program(&self, name: &str) -> Result<Program> {
        let executable = workspace::built_programs()?.join(name);
        Ok(Program::new(name, executable, self.local.log(name))
            // Not the checkout: a developer's `.env` there is for another system.
            .directory(self.local.path("run"))
            .pid_file(self.local.path("run").join(name).with_extension("pid"))
            .stop_with([StopStep::new(Signal::SIGTERM, STOP_PATIENCE)]))
    }

    fn with_variables(&self, program: Program) -> Program {
        let program = program
            .env("OPS_LISTEN", "127.0.0.1:0")
            .env("LOG", "info")
            .env("LOG_FORMAT", "pretty");
        let variables = self.variables.iter();
        variables.fold(program, |program, (name, value)| program.env(name, value))
    }
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|file| file.modified()).ok()
}

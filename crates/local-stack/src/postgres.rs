//! A PostgreSQL server of our own, from the programs that are installed.

mod binaries;
mod cluster;
mod options;
mod settings;

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

pub use self::binaries::Binaries;
use self::cluster::{Cluster, NAME, Place};
pub use self::options::{Durability, PostgresOptions, PostgresTls};
use crate::home::Home;
use crate::ports::ReservedPort;
use crate::process::{Process, Program, Signal, StopStep, stop_orphan};
use crate::user::ServiceUser;

const START_LIMIT: Duration = Duration::from_mins(1);
const PORT_ATTEMPTS: u32 = 5;
/// How long a restart waits for its port, or for what a killed server left in memory.
const RESTART_LIMIT: Duration = Duration::from_secs(15);
/// Fast shutdown, then immediate shutdown: see "Shutting Down the Server" in PostgreSQL's manual.
const STOP: [(Signal, u64); 2] = [(Signal::SIGINT, 20), (Signal::SIGQUIT, 5)];

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Postgres {
    // Fields are dropped in this order: the process before the folder that it works in.
    process: Process,
    port: u16,
    setup: Setup,
}

/// All that outlives one run of the server.
#[derive(Debug)]
struct Setup {
    binaries: Binaries,
    cluster: Cluster,
    user: Option<ServiceUser>,
    log: PathBuf,
    options: PostgresOptions,
    home: Home,
}

impl Postgres {
    /// Starts a server and waits until it answers a query.
    pub fn start(options: PostgresOptions) -> Result<Self> {
        let setup = Setup::prepare(options).context("cannot set PostgreSQL up")?;
        let (process, port) = setup.launch().context("cannot start PostgreSQL")?;
        let server = Self {
            process,
            port,
            setup,
        };
        server.create_database()?;
        Ok(server)
    }

    /// For connecting as the superuser to the database `monitor`. Holds the password.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(NAME)
    }

    /// The same for another database.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        let password = &self.setup.cluster.password;
        format!(
            "postgres://{NAME}:{password}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The superuser's password.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.setup.cluster.password
    }

    /// Where it keeps its things; not always the folder that was asked for.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.setup.home.path()
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// A `psql` that runs in `database`, without the caller's own settings.
    #[must_use]
    pub fn psql(&self, database: &str) -> Command {
        self.setup.psql(self.port, database)
    }

    /// Runs SQL in `database` and returns what it printed, without decoration.
    pub fn query(&self, database: &str, sql: &str) -> Result<String> {
        let output = self
            .psql(database)
            .args(["-c", sql])
            .output()
            .context("cannot run psql")?;
        if !output.status.success() {
            bail!("psql: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Stops it cleanly; open connections are closed.
    pub fn stop(&mut self) -> Result<()> {
        self.process.stop().map(drop)
    }

    /// Kills it, as a crash would.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill().map(drop)
    }

    /// Starts it again on the same port with the same data, after stopping it if it runs.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        let started = Instant::now();
        loop {
            match self.setup.launch_on(self.port) {
                Ok(process) => {
                    self.process = process;
                    return Ok(());
                }
                Err(failure) if failure.passing && started.elapsed() < RESTART_LIMIT => {
                    self.setup.options.control.check()?;
                }
                Err(failure) => return Err(failure.error).context("cannot restart PostgreSQL"),
            }
        }
    }

    fn create_database(&self) -> Result<()> {
        let sql = format!("SELECT count(*) FROM pg_database WHERE datname = '{NAME}'");
        if self.query("postgres", &sql)? == "0" {
            self.query("postgres", &format!("CREATE DATABASE {NAME}"))?;
        }
        Ok(())
    }
}

/// Why a server did not come up.
struct LaunchFailure {
    error: anyhow::Error,
    /// Another port, or another moment, may do.
    passing: bool,
}

impl Setup {
    fn prepare(options: PostgresOptions) -> Result<Self> {
        let binaries = Binaries::find()?;
        let user = ServiceUser::for_postgres()?;
        let home = Home::prepare(options.directory.as_deref(), user)?;
        stop_orphan(&home.path().join("postgres.pid"))?;
        let place = Place {
            home: home.path(),
            binaries: &binaries,
            user,
        };
        let cluster = Cluster::open(place, options.durability, &options.control)?;
        let log = options.log.clone();
        Ok(Self {
            log: log.unwrap_or_else(|| home.path().join("postgres.log")),
            binaries,
            cluster,
            user,
            options,
            home,
        })
    }

    /// On the wanted port, that of the last run, or any other; another program may take a port just before we listen.
    fn launch(&self) -> Result<(Process, u16)> {
        let mut attempt = 1;
        loop {
            let wanted = self.options.port.or(self.home.last_port());
            let wanted = wanted.filter(|_| attempt == 1);
            let port = ReservedPort::prefer(wanted)?.release();
            match self.launch_on(port) {
                Ok(process) => {
                    self.home.remember_port(port)?;
                    return Ok((process, port));
                }
                Err(failure) if failure.passing && attempt < PORT_ATTEMPTS => attempt += 1,
                Err(failure) => return Err(failure.error),
            }
        }
    }

    fn launch_on(&self, port: u16) -> Result<Process, LaunchFailure> {
        let lasting = |error| LaunchFailure {
            error,
            passing: false,
        };
        let started = self.program(port).and_then(|it| Process::start(&it));
        let mut process = started.map_err(lasting)?;
        let ready = process.wait_until_ready(&self.options.control, START_LIMIT, |log| {
            let listening = log.text().contains("ready to accept connections");
            (listening && self.answers(port)).then_some(())
        });
        match ready {
            Ok(()) => Ok(process),
            Err(error) => Err(LaunchFailure {
                error,
                passing: is_passing(&process.log().text()),
            }),
        }
    }

    /// Reads the certificate anew, as every run does.
    fn program(&self, port: u16) -> Result<Program> {
        let settings = settings::resolve(&self.options, self.home.path(), self.user)?.into_iter();
        Ok(
            Program::new("PostgreSQL", self.binaries.program("postgres"), &self.log)
                .args(["-c".to_owned(), format!("port={port}")])
                .args(
                    settings.flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")]),
                )
                .args(["-D".into(), self.cluster.data.clone()])
                .directory(&self.cluster.data)
                .user(self.user)
                .pid_file(self.home.path().join("postgres.pid"))
                .stop_with(
                    STOP.map(|(signal, secs)| StopStep::new(signal, Duration::from_secs(secs))),
                ),
        )
    }

    fn answers(&self, port: u16) -> bool {
        let mut psql = self.psql(port, "postgres");
        psql.args(["-c", "SELECT 1"]);
        psql.output().is_ok_and(|output| output.status.success())
    }

    fn psql(&self, port: u16, database: &str) -> Command {
        let mut command = Command::new(self.binaries.program("psql"));
        command
            // Ctrl-C in the terminal is not meant for it.
            .process_group(0)
            .env_clear()
            .env("PGPASSWORD", &self.cluster.password)
            .env("PGCONNECT_TIMEOUT", "5")
            .args(["--no-psqlrc", "--no-align", "--tuples-only", "--quiet"])
            .args(["--no-password", "--set", "ON_ERROR_STOP=1"])
            .args(["--host", "127.0.0.1", "--username", NAME])
            .args(["--port", &port.to_string(), "--dbname", database]);
        command
    }
}

fn is_passing(log: &str) -> bool {
    [
        "Address already in use",
        // A killed server's last processes are still on their way out.
        "pre-existing shared memory block",
        "postmaster.pid\" already exists",
    ]
    .iter()
    .any(|text| log.contains(text))
}

//! An Apache Kafka broker of our own, from the official jars: one `KRaft` node that is all there is,
//! or that others join.

mod configuration;
pub mod jars;
pub mod java;
mod options;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use self::configuration::{Ports, Proxied};
pub use self::options::{KafkaMember, KafkaOptions, KafkaTls};
use crate::home::Home;
use crate::ports::ReservedPort;
use crate::process::{Process, Program, Signal, StopStep, stop_orphan};

const FORMAT_LIMIT: Duration = Duration::from_mins(1);
const START_LIMIT: Duration = Duration::from_secs(90);
const STOP_PATIENCE: Duration = Duration::from_secs(30);
const RESTART_LIMIT: Duration = Duration::from_secs(15);
const PORT_ATTEMPTS: u32 = 5;
/// Any 16 bytes in base64: nodes never meet those of another cluster.
const CLUSTER_ID: &str = "YWl2ZW4tbW9uaXRvci0tMQ";
/// A small heap and a quick start matter more here than throughput.
const JVM: [&str; 6] = [
    "-Xms96m",
    "-Xmx320m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
];

/// A running broker. Dropping it stops it.
#[derive(Debug)]
pub struct Kafka {
    // Fields are dropped in this order: the process before the folder that it works in.
    process: Process,
    ports: Ports,
    setup: Setup,
}

/// All that outlives one run of the broker.
#[derive(Debug)]
struct Setup {
    java: PathBuf,
    jars: PathBuf,
    log: PathBuf,
    options: KafkaOptions,
    home: Home,
}

impl Kafka {
    /// Starts a broker and waits until it serves; fetches the jars first if they are not cached.
    pub fn start(options: KafkaOptions) -> Result<Self> {
        let setup = Setup::prepare(options).context("cannot set Kafka up")?;
        let (process, ports) = setup.launch().context("cannot start Kafka")?;
        Ok(Self {
            process,
            ports,
            setup,
        })
    }

    /// `host:port` of the listener without encryption.
    #[must_use]
    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.ports.plaintext)
    }

    /// `host:port` of the listener that wants a client certificate; fails when there is none.
    pub fn tls_brokers(&self) -> Result<String> {
        let port = self
            .ports
            .ssl
            .context("this broker was started without TLS")?;
        Ok(format!("localhost:{port}"))
    }

    /// The port of the listener without encryption.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.ports.plaintext
    }

    /// A place for another broker in the cluster of this one, which is its only controller. `node` is
    /// the other's number, from 2 on.
    #[must_use]
    pub fn member(&self, node: u32) -> KafkaMember {
        KafkaMember {
            node,
            controller: self.ports.controller,
        }
    }

    /// Where the proxies of [`KafkaOptions::proxies`] must lead to, in the same order.
    #[must_use]
    pub fn proxied_ports(&self) -> Vec<u16> {
        let ports = self.ports.proxied.iter();
        ports.map(|proxied| proxied.port).collect()
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Stops it cleanly.
    pub fn stop(&mut self) -> Result<()> {
        self.process.stop().map(drop)
    }

    /// Kills it, as a crash would.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill().map(drop)
    }

    /// Starts it again on the same ports with the same data, after stopping it if it runs.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        let started = Instant::now();
        loop {
            match self.setup.launch_on(&self.ports) {
                Ok(process) => {
                    self.process = process;
                    return Ok(());
                }
                Err(failure) if failure.port_taken && started.elapsed() < RESTART_LIMIT => {
                    self.setup.options.control.check()?;
                }
                Err(failure) => return Err(failure.error).context("cannot restart Kafka"),
            }
        }
    }
}

/// Why a broker did not come up.
struct LaunchFailure {
    error: anyhow::Error,
    port_taken: bool,
}

impl Setup {
    fn prepare(options: KafkaOptions) -> Result<Self> {
        let java = java::find()?;
        let jars = jars::locate_or_fetch(&options.control)?;
        let home = Home::prepare(options.directory.as_deref(), None)?;
        stop_orphan(&home.path().join("kafka.pid"))?;
        let log = options.log.clone();
        let setup = Self {
            log: log.unwrap_or_else(|| home.path().join("kafka.log")),
            java,
            jars,
            options,
            home,
        };
        setup.format()?;
        Ok(setup)
    }

    /// Makes the log folder, under another name first: a half-made one is never used.
    fn format(&self) -> Result<()> {
        let data = self.path("data");
        if data.exists() {
            return Ok(());
        }
        let unfinished = self.path("data.unfinished");
        let configuration = self.path("format.properties");
        let text = configuration::for_format(&unfinished, self.options.member);
        fs::write(&configuration, text).context("cannot write the settings of Kafka")?;
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)
                .with_context(|| format!("cannot remove {}", unfinished.display()))?;
        }
        let tool = self
            .java("kafka-storage", &self.path("format.log"))?
            .args([
                "kafka.tools.StorageTool",
                "format",
                "--cluster-id",
                CLUSTER_ID,
                "--config",
            ])
            .args([configuration]);
        let mut tool = Process::start(&tool)?;
        let control = &self.options.control;
        let ended = control.poll(FORMAT_LIMIT, || tool.exited())?;
        if !ended.is_some_and(|status| status.success()) {
            bail!("cannot format the folder of Kafka\n{}", tool.log().tail());
        }
        fs::rename(&unfinished, &data).with_context(|| format!("cannot make {}", data.display()))
    }

    /// On the wanted port, that of the last run, or any other; another program may take a port just before we listen.
    fn launch(&self) -> Result<(Process, Ports)> {
        let mut attempt = 1;
        loop {
            let wanted = self.options.port.or(self.home.last_port());
            let wanted = wanted.filter(|_| attempt == 1);
            let ports = self.free_ports(wanted)?;
            match self.launch_on(&ports) {
                Ok(process) => {
                    self.home.remember_port(ports.plaintext)?;
                    return Ok((process, ports));
                }
                Err(failure) if failure.port_taken && attempt < PORT_ATTEMPTS => attempt += 1,
                Err(failure) => return Err(failure.error),
            }
        }
    }

    fn free_ports(&self, wanted: Option<u16>) -> Result<Ports> {
        let plaintext = ReservedPort::prefer(wanted)?;
        let controller = match self.options.member {
            Some(_) => None,
            None => Some(ReservedPort::any()?),
        };
        let other = self.options.member.map_or(0, |member| member.controller);
        let ssl = match self.options.tls {
            Some(_) => Some(ReservedPort::any()?),
            None => None,
        };
        let mut behind = Vec::new();
        for proxy in &self.options.proxies {
            behind.push((*proxy, ReservedPort::any()?));
        }
        let proxied = behind.into_iter().map(|(proxy, port)| Proxied {
            port: port.release(),
            proxy,
        });
        Ok(Ports {
            plaintext: plaintext.release(),
            controller: controller.map_or(other, ReservedPort::release),
            ssl: ssl.map(ReservedPort::release),
            proxied: proxied.collect(),
        })
    }

    fn launch_on(&self, ports: &Ports) -> Result<Process, LaunchFailure> {
        let mut process = self.spawn(ports).map_err(|error| LaunchFailure {
            error,
            port_taken: false,
        })?;
        let ready = process.wait_until_ready(&self.options.control, START_LIMIT, |log| {
            log.text().contains("Kafka Server started").then_some(())
        });
        match ready {
            Ok(()) => Ok(process),
            Err(error) => Err(LaunchFailure {
                error,
                port_taken: process.log().text().contains("Address already in use"),
            }),
        }
    }

    fn spawn(&self, ports: &Ports) -> Result<Process> {
        let configuration = self.path("server.properties");
        configuration::write(&configuration, self.home.path(), ports, &self.options)?;
        let program = self
            .java("Kafka", &self.log)?
            .args(["kafka.Kafka".into(), configuration])
            .pid_file(self.path("kafka.pid"))
            .stop_with([StopStep::new(Signal::SIGTERM, STOP_PATIENCE)]);
        Process::start(&program)
    }

    /// A Java program with Kafka's class path; java itself expands the `*`.
    fn java(&self, name: &str, log: &Path) -> Result<Program> {
        let logging = self.path("log4j2.properties");
        fs::write(&logging, configuration::LOGGING)
            .with_context(|| format!("cannot write {}", logging.display()))?;
        Ok(Program::new(name, &self.java, log)
            .directory(self.home.path())
            .args(JVM)
            .args([format!("-Dlog4j2.configurationFile={}", logging.display())])
            .args(["-cp".into(), self.jars.join("*")]))
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::join(self.home.path(), name)
    }
}

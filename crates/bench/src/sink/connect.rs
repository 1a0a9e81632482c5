//! Kafka Connect with Aiven's JDBC sink connector: one worker, set up for throughput.
//!
//! The connector's jars are in no package registry. Whoever has them, from a release of it, puts
//! them into a folder inside `target/bench/connect-plugins`; else this contender is skipped.

mod message;

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context as _, Result, anyhow, bail};
use local_stack::{Process, Program, ReservedPort, find_executable, jars, java};

use self::message::message;
use super::meter::{self, Pace};
use super::one_by_one::watch;
use super::topic::Feeder;
use super::workload::Workload;
use crate::finish;
use crate::stack::{Stack, kept_folder};

const GOAL: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";
const FETCH_LIMIT: Duration = Duration::from_mins(10);
/// What Maven has to be told of the caller's surroundings.
const PASSED_ON: [&str; 2] = ["JAVA_HOME", "MAVEN_OPTS"];
const TABLE: &str = "checks_by_connect";
/// Rows before the window opens: the JVM has compiled what is used all the time.
const WARM_UP: u64 = 20_000;

/// Everything that a worker is started with.
#[derive(Debug)]
pub(crate) struct Connect {
    java: PathBuf,
    class_path: String,
    plugins: PathBuf,
}

impl Connect {
    /// Fetches the worker's jars unless an earlier run did; the connector's must be there.
    pub(crate) fn prepare(stack: &Stack) -> Result<Self> {
        let plugins = kept_folder()?.join("connect-plugins");
        if !has_a_folder(&plugins) {
            bail!("the jars of the JDBC connector are not in target/bench/connect-plugins");
        }
        let kafka = jars::locate_or_fetch(&stack.control)?;
        let connect = fetch(stack)?;
        let class_path = [kafka, connect].map(|folder| format!("{}/*", folder.display()));
        Ok(Self {
            java: java::find()?,
            class_path: class_path.join(":"),
            plugins,
        })
    }
}

fn has_a_folder(plugins: &Path) -> bool {
    let entries = fs::read_dir(plugins).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.path().is_dir())
}

fn fetch(stack: &Stack) -> Result<PathBuf> {
    let folder = kept_folder()?.join(format!("kafka-connect-{}", jars::VERSION));
    let lib = folder.join("lib");
    if lib.is_dir() {
        return Ok(lib);
    }
    let mvn = find_executable("mvn").context("Maven (mvn) is not installed")?;
    fs::create_dir_all(&folder)?;
    let (pom, unfinished) = (folder.join("pom.xml"), folder.join("lib.unfinished"));
    fs::write(&pom, pom_text())?;
    let mut program = Program::new("mvn", mvn, stack.log("mvn"))
        .args(["--quiet", "--batch-mode", "--file"])
        .args([&pom])
        .args([GOAL, "-DincludeScope=runtime"])
        .args([format!("-DoutputDirectory={}", unfinished.display())]);
    for name in PASSED_ON {
        if let Some(value) = env::var_os(name) {
            program = program.env(name, value);
        }
    }
    finish::run(&program, FETCH_LIMIT, &stack.control).context("cannot fetch Kafka Connect")?;
    fs::rename(&unfinished, &lib)?;
    Ok(lib)
}

fn pom_text() -> String {
    let version = jars::VERSION;
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>kafka-connect-jars</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>connect-runtime</artifactId>
      <version>{version}</version>
    </dependency>
  </dependencies>
</project>
"
    )
}

/// Puts the same events into a topic in the only form in which the connector knows their columns:
/// JSON with a schema in each message.
pub(crate) fn fill_topic(stack: &Stack, topic: &str, workload: &Workload) -> Result<()> {
    let mut feeder = Feeder::new(stack, topic)?;
    for event in workload.events() {
        feeder.send_raw(&event.key(), &message(&event)?, &[])?;
    }
    feeder.finish()
}

/// Lets it work for a while.
pub(crate) fn fill(
    stack: &Stack,
    database: &str,
    topic: &str,
    connect: &Result<Connect, String>,
    length: Duration,
) -> Result<Pace> {
    let connect = connect.as_ref().map_err(|reason| anyhow!(reason.clone()))?;
    stack.empty_database(database)?;
    meter::settle(stack)?;
    let worker = stack.path("connect-worker.properties");
    let connector = stack.path("connect-connector.properties");
    fs::write(&worker, worker_settings(stack, database, connect)?)?;
    fs::write(&connector, connector_settings(stack, database, topic))?;
    let program = Program::new("connect", &connect.java, stack.log("connect"))
        .directory(stack.path(""))
        .args(["-Xms256m", "-Xmx1g", "-Djava.awt.headless=true"])
        .args(["-cp", &connect.class_path])
        .args(["org.apache.kafka.connect.cli.ConnectStandalone"])
        .args([worker, connector]);
    let process = Process::start(&program)?;
    watch(stack, process, TABLE, database, (WARM_UP, length))
}

fn worker_settings(stack: &Stack, database: &str, connect: &Connect) -> Result<String> {
    let port = ReservedPort::any()?.release();
    let offsets = stack.path(&format!("{database}.offsets"));
    Ok(format!(
        "bootstrap.servers={brokers}
listeners=http://127.0.0.1:{port}
plugin.path={plugins}
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
value.converter.schemas.enable=true
offset.storage.file.filename={offsets}
consumer.max.poll.records=5000
consumer.max.partition.fetch.bytes=8388608
",
        brokers = stack.brokers(),
        plugins = connect.plugins.display(),
        offsets = offsets.display(),
    ))
}

/// Upserts, because a worker delivers at least once. The driver turns a batch into statements of
/// many rows. One of the tasks may have to try again, since both make the table: that must not take
/// the seconds that it takes by default.
fn connector_settings(stack: &Stack, database: &str, topic: &str) -> String {
    let postgres = stack.postgres();
    let (port, password) = (postgres.port(), postgres.password());
    format!(
        "name={database}
connector.class=io.aiven.connect.jdbc.JdbcSinkConnector
tasks.max=2
topics={topic}
connection.url=jdbc:postgresql://127.0.0.1:{port}/{database}?reWriteBatchedInserts=true
connection.user=monitor
connection.password={password}
table.name.format={TABLE}
auto.create=true
insert.mode=upsert
pk.mode=record_value
pk.fields=site_id,region,scheduled_at
batch.size=5000
retry.backoff.ms=100
"
    )
}

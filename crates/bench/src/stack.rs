//! PostgreSQL, Kafka, and our programs with their settings.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use local_stack::{
    Control, Durability, Kafka, KafkaOptions, Postgres, PostgresOptions, Program, start_both,
};
use tempfile::TempDir;

use crate::finish;

const ADMIN_LIMIT: Duration = Duration::from_mins(5);

/// What our programs stand on. Gone when dropped.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) control: Control,
    kafka: Kafka,
    postgres: Postgres,
    postgres_id: u32,
    programs: PathBuf,
    folder: TempDir,
}

impl Stack {
    /// Starts everything. Our programs must have been built beside this one.
    pub(crate) fn start(ours: &[&str], durability: Durability, control: &Control) -> Result<Self> {
        let programs = programs(ours)?;
        let folder = tempfile::Builder::new()
            .prefix("aiven-monitor-bench-")
            .tempdir()
            .context("cannot make a temporary folder")?;
        let (mut postgres, kafka) = start_both(
            PostgresOptions {
                durability,
                control: control.clone(),
                ..PostgresOptions::default()
            },
            KafkaOptions {
                control: control.clone(),
                ..KafkaOptions::default()
            },
        )?;
        Ok(Self {
            control: control.clone(),
            postgres_id: postgres.process().id(),
            kafka,
            postgres,
            programs,
            folder,
        })
    }

    /// A file that is gone after the run.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where a program's output goes.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.path(name).with_extension("log")
    }

    /// `host:port` of the broker.
    pub(crate) fn brokers(&self) -> String {
        self.kafka.brokers()
    }

    pub(crate) fn postgres(&self) -> &Postgres {
        &self.postgres
    }

    /// The process that all processes of PostgreSQL are children of.
    pub(crate) fn postgres_id(&self) -> u32 {
        self.postgres_id
    }

    /// A new database of this name with our schema in it.
    pub(crate) fn database(&self, name: &str) -> Result<()> {
        self.empty_database(name)?;
        self.admin(name, &["migrate"])
    }

    /// A new database of this name with nothing in it.
    pub(crate) fn empty_database(&self, name: &str) -> Result<()> {
        let create = format!("CREATE DATABASE \"{name}\"");
        self.postgres.query("postgres", &create).map(drop)
    }

    /// Makes room on the disk.
    pub(crate) fn drop_database(&self, name: &str) -> Result<()> {
        let drop_it = format!("DROP DATABASE \"{name}\"");
        self.postgres.query("postgres", &drop_it).map(drop)
    }

    /// One of our programs, with everything that it needs to know.
    pub(crate) fn program(&self, name: &str, database: &str) -> Program {
        Program::new(name, self.programs.join(name), self.log(name))
            .directory(self.folder.path())
            .env("DATABASE_URL", self.postgres.url_of(database))
            .env("KAFKA_BROKERS", self.kafka.brokers())
            .env("KAFKA_SECURITY_PROTOCOL", "plaintext")
            .env("LOG", "info")
    }

    /// A program that was built of an example, which asks a database by a library of ours.
    pub(crate) fn example(&self, name: &str, database: &str) -> Program {
        let executable = self.programs.join("examples").join(name);
        Program::new(name, executable, self.log(name))
            .directory(self.folder.path())
            .env("DATABASE_URL", self.postgres.url_of(database))
    }

    /// Runs our `admin` on a database.
    pub(crate) fn admin(&self, database: &str, args: &[&str]) -> Result<()> {
        let program = self.program("admin", database).args(args);
        finish::run(&program, ADMIN_LIMIT, &self.control)
            .with_context(|| format!("admin {}", args.join(" ")))
    }

    /// The same for the topic of this name.
    pub(crate) fn create_topic(&self, topic: &str) -> Result<()> {
        let program = self
            .program("admin", "postgres")
            .env("KAFKA_TOPIC", topic)
            .args(["topics", "create"]);
        finish::run(&program, ADMIN_LIMIT, &self.control)
            .with_context(|| format!("cannot create the topic {topic}"))
    }
}

fn programs(ours: &[&str]) -> Result<PathBuf> {
    let own = std::env::current_exe().context("cannot tell where this program is")?;
    let folder = own.parent().context("this program has no folder")?;
    for name in ours {
        let there = folder.join(name).is_file();
        ensure!(
            there,
            "{name} is not built: run this by `cargo xtask bench`"
        );
    }
    Ok(folder.to_owned())
}

/// `target/bench`, which outlives a run.
pub(crate) fn kept_folder() -> Result<PathBuf> {
    let programs = programs(&[])?;
    let folder = programs.parent().map(|target| target.join("bench"));
    let folder = folder.context("this program is in no target folder")?;
    fs::create_dir_all(&folder).with_context(|| cannot_make(&folder))?;
    Ok(folder)
}

fn cannot_make(folder: &Path) -> String {
    format!("cannot make the folder {}", folder.display())
}

//! What a run stands on: PostgreSQL, Kafka, nginx, and our programs with their settings.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use local_stack::{Control, Kafka, KafkaOptions, Postgres, PostgresOptions, Program, start_both};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_servers::{Authority, Leaf};

use crate::finish;
use crate::nginx::{Nginx, Scheme};

const ADMIN_LIMIT: Duration = Duration::from_mins(5);

/// Everything around the programs that are measured. Gone when dropped.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) nginx: Nginx,
    pub(crate) control: Control,
    kafka: Kafka,
    postgres: Postgres,
    /// Who has signed nginx's certificate, in PEM.
    authority: String,
    programs: PathBuf,
    folder: TempDir,
    /// How many spools there were.
    spools: AtomicU32,
}

/// A database with sites in it.
#[derive(Clone, Debug)]
pub(crate) struct Sites {
    pub(crate) database: String,
    pub(crate) count: u32,
}

/// What a site is like.
#[derive(Clone, Debug)]
pub(crate) struct SiteKind {
    pub(crate) scheme: Scheme,
    pub(crate) url: String,
    pub(crate) interval: String,
    pub(crate) timeout: &'static str,
}

impl Ground {
    /// Starts everything. Our programs must have been built beside this one.
    pub(crate) fn start(control: &Control) -> Result<Self> {
        let programs = programs()?;
        let folder = tempfile::Builder::new()
            .prefix("aiven-monitor-bench-")
            .tempdir()
            .context("cannot make a temporary folder")?;
        let authority = Authority::root()?;
        let identity = authority.issue(&Leaf::default())?;
        let nginx = Nginx::start(&folder.path().join("nginx"), &identity, control)?;
        let (postgres, kafka) = start_both(
            PostgresOptions {
                control: control.clone(),
                ..PostgresOptions::default()
            },
            KafkaOptions {
                control: control.clone(),
                ..KafkaOptions::default()
            },
        )?;
        let ground = Self {
            nginx,
            control: control.clone(),
            kafka,
            postgres,
            authority: authority.pem().to_owned(),
            programs,
            folder,
            spools: AtomicU32::new(0),
        };
        fs::write(ground.path("authority.pem"), &ground.authority)?;
        ground.admin("postgres", &["topics", "create"])?;
        Ok(ground)
    }

    /// A file that is gone after the run.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A new database of this name, with `count` sites that are all alike.
    pub(crate) fn sites(&self, name: &str, count: u32, kind: &SiteKind) -> Result<Sites> {
        let create = format!("CREATE DATABASE \"{name}\"");
        self.postgres.query("postgres", &create)?;
        self.admin(name, &["migrate"])?;
        if count > 0 {
            let file = self.path(&format!("{name}.json"));
            fs::write(&file, json!({ "sites": [self.site(kind)] }).to_string())?;
            self.admin(name, &["sites", "import", &file.to_string_lossy()])?;
            self.postgres.query(name, &copies(count - 1))?;
        }
        Ok(Sites {
            database: name.to_owned(),
            count,
        })
    }

    fn site(&self, kind: &SiteKind) -> Value {
        let mut site = json!({
            "url": kind.url,
            "interval": kind.interval,
            "timeout": kind.timeout,
        });
        if kind.scheme == Scheme::Https {
            site["tls_ca"] = json!(self.authority);
        }
        site
    }

    /// One of our programs, with everything that it needs to know.
    pub(crate) fn program(&self, name: &str, database: &str) -> Program {
        // A new one each time: nobody has to deliver what the one before has left.
        let spool = self.spools.fetch_add(1, Ordering::Relaxed);
        Program::new(name, self.programs.join(name), self.log(name))
            .directory(self.folder.path())
            .env("DATABASE_URL", self.postgres.url_of(database))
            .env("KAFKA_BROKERS", self.kafka.brokers())
            .env("KAFKA_SECURITY_PROTOCOL", "plaintext")
            .env("CHECKER_ALLOW_PRIVATE_TARGETS", "true")
            .env("CHECKER_SPOOL_DIR", self.path(&format!("spool-{spool}")))
            .env("CHECKER_MAX_IN_FLIGHT", "100000")
            .env("CHECKER_MAX_PER_HOST", "100000")
            .env("LOG", "info")
    }

    /// Where a program's output goes.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.path(name).with_extension("log")
    }

    fn admin(&self, database: &str, args: &[&str]) -> Result<()> {
        let program = self.program("admin", database).args(args);
        finish::run(&program, ADMIN_LIMIT, &self.control)
            .with_context(|| format!("admin {}", args.join(" ")))
    }
}

/// Makes so many copies of the only site there is.
fn copies(count: u32) -> String {
    format!(
        "INSERT INTO sites OVERRIDING SYSTEM VALUE
         SELECT copy.*
         FROM sites AS original,
              generate_series(1, {count}) AS number,
              jsonb_populate_record(
                  original,
                  jsonb_build_object('id', original.id + number, 'name', 'site ' || number)
              ) AS copy"
    )
}

fn programs() -> Result<PathBuf> {
    let own = std::env::current_exe().context("cannot tell where this program is")?;
    let folder = own.parent().context("this program has no folder")?;
    for name in ["admin", "checker"] {
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
    let programs = programs()?;
    let folder = programs.parent().map(|target| target.join("bench"));
    let folder = folder.context("this program is in no target folder")?;
    fs::create_dir_all(&folder).with_context(|| cannot_make(&folder))?;
    Ok(folder)
}

fn cannot_make(folder: &Path) -> String {
    format!("cannot make the folder {}", folder.display())
}

//! A database, a topic and a consumer group of a test's own.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Utc};
use monitor_config::Environment;
use monitor_core::{CheckEvent, Failure, FailureKind, Outcome, Phase, Region, SiteId, Slot};
use monitor_kafka::{KafkaSettings, Outgoing, Producer};
use serde_json::{Value, json};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};
use tempfile::TempDir;
use uuid::Uuid;

use crate::service::{Binary, Finished, Service, run};
use crate::wait::eventually;

/// What a test runs in. Tests share the servers but nothing in them.
pub struct World {
    /// The environment of the binaries; change it to taste.
    pub environment: BTreeMap<String, String>,
    /// The test's own database.
    pub database: PgPool,
    folder: TempDir,
}

/// What is stored of a check.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub struct Row {
    /// Name of the site; `None` when there is no such site.
    pub site: Option<String>,
    /// The slot.
    pub scheduled_at: DateTime<Utc>,
    /// The outcome.
    pub outcome: String,
    /// The failure kind.
    pub failure: Option<String>,
}

impl World {
    /// A world on the servers that `cargo xtask test` has started: migrated, with topics of six
    /// partitions.
    pub async fn new() -> anyhow::Result<Self> {
        let world = Self::bare().await?;
        world.prepare(6)?;
        Ok(world)
    }

    /// The same, neither migrated nor with topics.
    pub async fn bare() -> anyhow::Result<Self> {
        let url = variable("DATABASE_URL")?;
        let brokers = variable("TEST_KAFKA_BROKERS")?;
        Self::on(&url, &brokers).await
    }

    /// A world with a broker of the test's own, neither migrated nor with topics.
    pub async fn with_kafka(brokers: &str) -> anyhow::Result<Self> {
        Self::on(&variable("DATABASE_URL")?, brokers).await
    }

    /// A world on servers of the test's own, neither migrated nor with topics.
    pub async fn on(server_url: &str, brokers: &str) -> anyhow::Result<Self> {
        let name = format!("e2e_{}", Uuid::new_v4().simple());
        let folder = TempDir::new()?;
        let spool = folder.path().join("spool");
        let server = PgPool::connect(server_url)
            .await
            .context("cannot reach PostgreSQL")?;
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&server)
            .await?;
        server.close().await;
        let url = with_database(server_url, &name)?;
        let environment = [
            ("DATABASE_URL", url.as_str()),
            ("KAFKA_BROKERS", brokers),
            ("KAFKA_TOPIC", &name),
            ("SINK_GROUP", &name),
            ("CHECKER_ALLOW_PRIVATE_TARGETS", "true"),
            ("API_ALLOW_PRIVATE_TARGETS", "true"),
            ("API_LISTEN", "127.0.0.1:0"),
            ("CHECKER_SPOOL_DIR", &spool.to_string_lossy()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let database = PgPoolOptions::new().max_connections(2).connect_lazy(&url)?;
        Ok(Self {
            environment: environment.into(),
            database,
            folder,
        })
    }

    /// Migrates the database and creates the topics.
    pub fn prepare(&self, partitions: u32) -> anyhow::Result<()> {
        self.admin(&["migrate"])?.success()?;
        let partitions = partitions.to_string();
        self.admin(&["topics", "create", "--partitions", &partitions])?
            .success()?;
        Ok(())
    }

    /// A folder of the test's own.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Sets an environment variable of the binaries.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.environment.insert(name.to_owned(), value.into());
    }

    /// Runs `admin`.
    pub fn admin(&self, arguments: &[&str]) -> anyhow::Result<Finished> {
        run(Binary::Admin, arguments, &self.environment)
    }

    /// Runs any binary to its end.
    pub fn run(&self, binary: Binary, arguments: &[&str]) -> anyhow::Result<Finished> {
        run(binary, arguments, &self.environment)
    }

    /// Starts a service.
    pub fn start(&self, binary: Binary) -> anyhow::Result<Service> {
        Service::start(binary, &[], &self.environment)
    }

    /// Starts a service with some variables of its own.
    pub fn start_with(
        &self,
        binary: Binary,
        variables: &[(&str, &str)],
    ) -> anyhow::Result<Service> {
        let mut environment = self.environment.clone();
        let own = variables.iter();
        environment.extend(own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Service::start(binary, &[], &environment)
    }

    /// Starts a service and waits until it is ready.
    pub async fn start_ready(&self, binary: Binary) -> anyhow::Result<Service> {
        let service = self.start(binary)?;
        service.is_ready().await?;
        Ok(service)
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, content: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content)?;
        Ok(path)
    }

    /// Makes these the monitored sites.
    pub fn import(&self, sites: &[Value]) -> anyhow::Result<()> {
        let file = self.write("sites.json", &json!({ "sites": sites }).to_string())?;
        let file = file.to_string_lossy();
        self.admin(&["sites", "import", "--prune", &file])?
            .success()?;
        Ok(())
    }

    /// Sends messages to the topic and waits until they are confirmed.
    pub async fn send(&self, messages: &[Vec<u8>]) -> anyhow::Result<()> {
        self.send_with(messages, &[]).await
    }

    /// The same, with headers.
    pub async fn send_with(
        &self,
        messages: &[Vec<u8>],
        headers: &[(&str, &[u8])],
    ) -> anyhow::Result<()> {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, Some(*value)))
            .collect();
        let settings: KafkaSettings =
            Environment::from_pairs(self.kafka_environment()).load::<KafkaSettings>()?;
        let (producer, mut deliveries) = Producer::new(&settings, &settings.topic, "test")?;
        for (sequence, payload) in messages.iter().enumerate() {
            let message = Outgoing {
                key: None,
                payload: Some(payload),
                headers: &headers,
            };
            producer.send(sequence, message)?;
        }
        for _ in messages {
            deliveries
                .recv()
                .await
                .context("the producer has gone")?
                .result?;
        }
        Ok(())
    }

    fn kafka_environment(&self) -> Vec<(String, String)> {
        let ours = self
            .environment
            .iter()
            .filter(|(name, _)| name.starts_with("KAFKA_"));
        ours.map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// What is stored, in order.
    pub async fn rows(&self) -> anyhow::Result<Vec<Row>> {
        let mut rows: Vec<Row> = sqlx::query_as(
            "SELECT sites.name AS site, scheduled_at, outcome::TEXT, failure_kind::TEXT AS failure \
             FROM checks LEFT JOIN sites ON sites.id = checks.site_id",
        )
        .fetch_all(&self.database)
        .await?;
        rows.sort();
        Ok(rows)
    }

    /// Waits until at least `count` rows are stored.
    pub async fn stored(&self, count: usize) -> anyhow::Result<Vec<Row>> {
        eventually(&format!("{count} rows are stored"), || async {
            let rows = self.rows().await?;
            ensure!(rows.len() >= count, "{} are", rows.len());
            Ok(Some(rows))
        })
        .await
    }

    /// Fails unless the rows of every site are its consecutive slots, one interval apart: no gap, no
    /// double. Returns how many rows each site has.
    pub async fn assert_gapless(&self) -> anyhow::Result<HashMap<String, usize>> {
        let intervals = self.intervals().await?;
        let mut by_site: HashMap<String, Vec<DateTime<Utc>>> = HashMap::new();
        for row in self.rows().await? {
            by_site
                .entry(row.site.context("a row without a site")?)
                .or_default()
                .push(row.scheduled_at);
        }
        for (site, slots) in &by_site {
            for pair in slots.windows(2) {
                let apart = (pair[1] - pair[0]).num_milliseconds();
                ensure!(
                    apart == intervals[site],
                    "{site}: {} and {} are {apart} ms apart",
                    pair[0],
                    pair[1]
                );
            }
        }
        Ok(by_site
            .into_iter()
            .map(|(site, slots)| (site, slots.len()))
            .collect())
    }

    /// The interval of every site, in milliseconds.
    async fn intervals(&self) -> anyhow::Result<HashMap<String, i64>> {
        let intervals: Vec<(String, i64)> =
            sqlx::query_as("SELECT name, (EXTRACT(EPOCH FROM interval) * 1000)::BIGINT FROM sites")
                .fetch_all(&self.database)
                .await?;
        Ok(intervals.into_iter().collect())
    }

    /// The event of a slot in which a site was up.
    #[must_use]
    pub fn up(site_id: i64, scheduled_at: DateTime<Utc>) -> CheckEvent {
        let mut event = Self::event(site_id, scheduled_at);
        event.outcome = Outcome::Up;
        event.failure = None;
        event.started_at = Some(event.scheduled_at);
        event.attempts = 1;
        event.status_code = Some(200);
        event.timings_us.total = Some(1_500);
        event
    }

    /// The event of a slot in which it was down.
    #[must_use]
    pub fn down(site_id: i64, scheduled_at: DateTime<Utc>) -> CheckEvent {
        let (kind, phase) = (FailureKind::UnexpectedStatus, Some(Phase::Assertion));
        let mut event = Self::up(site_id, scheduled_at);
        event.outcome = Outcome::Down;
        event.failure = Some(Failure::new(kind, phase, "503 is not expected"));
        event.status_code = Some(503);
        event
    }

    /// A valid event for a site that need not exist.
    #[must_use]
    pub fn event(site_id: i64, scheduled_at: DateTime<Utc>) -> CheckEvent {
        let millis = scheduled_at.timestamp_millis();
        let slot = Slot {
            site_id: SiteId(site_id),
            region: local(),
            scheduled_at: DateTime::from_timestamp_millis(millis).unwrap_or(scheduled_at),
        };
        CheckEvent::missed(
            &slot,
            "test",
            Failure::new(FailureKind::NotRunning, None, "made up"),
        )
    }
}

fn local() -> Region {
    #[expect(clippy::expect_used, reason = "a constant that is a region")]
    "local".parse().expect("a region")
}

#[expect(
    clippy::disallowed_methods,
    reason = "these variables are between `xtask` and the tests"
)]
fn variable(name: &str) -> anyhow::Result<String> {
    let value = std::env::var(name);
    value.with_context(|| format!("{name} is not set: run the tests with `cargo xtask test`"))
}

/// A program that `cargo xtask test` has found for the tests, by the variable that names it.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "these variables are between `xtask` and the tests"
)]
pub fn program(variable: &str) -> Option<PathBuf> {
    std::env::var(variable).ok().map(PathBuf::from)
}

fn with_database(url: &str, name: &str) -> anyhow::Result<String> {
    let (server, query) = url
        .split_once('?')
        .map_or((url, None), |(url, query)| (url, Some(query)));
    let (server, _) = server
        .rsplit_once('/')
        .context("the URL names no database")?;
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Ok(format!("{server}/{name}{query}"))
}

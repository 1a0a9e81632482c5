//! A monitor of which every part can be disturbed.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use chrono::{TimeDelta, Utc};
use fastrand::Rng;
use local_stack::{Kafka, Postgres, PostgresOptions};
use test_servers::{Proxy, Traffic};

use super::fault::Fault;
use crate::broker::{Broker, Line};
use crate::freeze::{Frozen, freeze};
use crate::judge::{Account, Kept, no_secret, rollups_are_right};
use crate::scene::{Running, Scene, ended, secrets};
use crate::service::{Binary, Service};
use crate::world::World;

/// How long each piece takes on a slow way.
const SLOW: Duration = Duration::from_millis(300);
/// How many late results come before each round.
const LATE: usize = 20;

pub(super) struct Stage {
    // Frozen processes are woken before anybody waits for them to end.
    frozen: Vec<Frozen>,
    checker: Option<Running>,
    sink: Option<Running>,
    second_sink: Option<Service>,
    pub(super) scene: Scene,
    sink_line: Line,
    database_line: Proxy,
    postgres: Postgres,
    /// Of services that are no more.
    logs: Vec<(&'static str, String)>,
}

impl Stage {
    /// Starts all parts.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let broker = Broker::start(2, Vec::new())?;
        let postgres = Postgres::start(PostgresOptions::default())?;
        let upstream = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), postgres.port());
        let database_line = Proxy::start(Some(upstream))?;
        let world = World::on(&postgres.url(), broker.brokers()).await?;
        let mut scene = Scene::of(world, broker)?;
        let world = &mut scene.world;
        let url = world.environment["DATABASE_URL"].clone();
        let through = url.replace(&upstream.to_string(), &database_line.address().to_string());
        world.set("DATABASE_URL", through);
        let mut stage = Self {
            frozen: Vec::new(),
            checker: None,
            sink: None,
            second_sink: None,
            sink_line: scene.broker.line()?,
            scene,
            database_line,
            postgres,
            logs: Vec::new(),
        };
        stage.checker = Some(Running::when_ready(stage.start_checker()?).await?);
        stage.sink = Some(Running::when_ready(stage.start_sink()?).await?);
        Ok(stage)
    }

    fn start_checker(&self) -> anyhow::Result<Service> {
        self.scene.world.start(Binary::Checker)
    }

    fn start_sink(&self) -> anyhow::Result<Service> {
        let brokers = self.sink_line.brokers();
        let variables = [("KAFKA_BROKERS", brokers.as_str())];
        self.scene.world.start_with(Binary::Sink, &variables)
    }

    /// Sends results of the last hours, as a checker does that was cut off for long.
    pub(super) async fn send_late(&self, chance: &mut Rng) -> anyhow::Result<()> {
        let late = |_| {
            let at = Utc::now() - TimeDelta::seconds(chance.i64(3_600..20_000));
            World::event(chance.i64(1_000..1_005), at).encode()
        };
        let events: Vec<_> = (0..LATE).map(late).collect::<Result<_, _>>()?;
        self.scene.world.send(&events).await
    }

    pub(super) async fn begin(&mut self, fault: Fault) -> anyhow::Result<()> {
        let (line, database) = (&self.scene.line, &self.database_line);
        match fault {
            Fault::CheckerRefused => line.set(Traffic::Refused),
            Fault::CheckerUnheard => line.set(Traffic::Swallowed),
            Fault::CheckerUnanswered => line.set(Traffic::AnswersCutAfter(0)),
            Fault::CheckerSlow => line.set(Traffic::Delayed(SLOW)),
            Fault::SinkRefused => self.sink_line.set(Traffic::Refused),
            Fault::SinkUnheard => self.sink_line.set(Traffic::Swallowed),
            Fault::DatabaseRefused => database.set(Traffic::Refused),
            Fault::DatabaseUnheard => database.set(Traffic::Swallowed),
            Fault::DatabaseUnanswered => database.set(Traffic::AnswersCutAfter(0)),
            Fault::DatabaseSlow => database.set(Traffic::Delayed(SLOW)),
            Fault::SessionsEnded => self.end_sessions()?,
            Fault::DatabaseKilled => self.postgres.kill()?,
            Fault::DatabaseRestarted => self.postgres.stop()?,
            Fault::DatabaseFrozen => self.frozen.push(freeze(self.postgres.process().id())?),
            Fault::BrokerKilled => self.scene.broker.with(Kafka::kill)?,
            Fault::BrokerRestarted => self.scene.broker.with(Kafka::stop)?,
            Fault::BrokerFrozen => {
                let process = self.scene.broker.with(|kafka| kafka.process().id());
                self.frozen.push(freeze(process)?);
            }
            Fault::CheckerKilled => self.kill_checker().await?,
            Fault::SinkKilled => self.kill_sink().await?,
            Fault::CheckerFrozen => self.freeze_service(Binary::Checker)?,
            Fault::SinkFrozen => self.freeze_service(Binary::Sink)?,
            Fault::CheckerRestarted => self.stop_checker().await?,
            Fault::SinkRestarted => self.stop_sink().await?,
            Fault::SecondSink => self.second_sink = Some(self.second_sink().await?),
        }
        Ok(())
    }

    /// A sink that has begun to listen to signals: one that is stopped sooner has no clean end.
    async fn second_sink(&self) -> anyhow::Result<Service> {
        let sink = self.start_sink()?;
        sink.logs("ops server listening").await?;
        Ok(sink)
    }

    /// Undoes whatever was done. The parts may still be on their way.
    pub(super) async fn end_all(&mut self, faults: &[Fault]) -> anyhow::Result<()> {
        self.frozen.clear();
        for fault in faults {
            match fault {
                Fault::DatabaseKilled | Fault::DatabaseRestarted => self.postgres.restart()?,
                Fault::BrokerKilled | Fault::BrokerRestarted => {
                    self.scene.broker.with(Kafka::restart)?;
                }
                _ => {}
            }
        }
        for line in [&self.scene.line, &self.sink_line] {
            line.set(Traffic::Flows);
        }
        self.database_line.set(Traffic::Flows);
        if let Some(second) = self.second_sink.take() {
            let (code, log) = second.terminate().await?;
            ensure!(
                code == Some(0),
                "the second sink ended with {code:?}:\n{log}"
            );
            self.logs.push(("the second sink's log", log));
        }
        if self.checker.is_none() {
            self.checker = Some(Running::when_ready(self.start_checker()?).await?);
        }
        if self.sink.is_none() {
            self.sink = Some(Running::when_ready(self.start_sink()?).await?);
        }
        Ok(())
    }

    /// Judges, and stops everything.
    pub(super) async fn verdict(mut self) -> anyhow::Result<Account> {
        let checker = self.checker.take().context("no checker")?;
        let sink = self.sink.take().context("no sink")?;
        let account = self
            .scene
            .verdict_of(checker, sink, Kept::Everything)
            .await?;
        let world = &self.scene.world;
        let rollups = rollups_are_right(world).await?;
        ensure!(rollups > 0, "nothing was rolled up");
        let brokers = self.scene.broker.brokers();
        no_secret(world, brokers, &secrets(world)?, &self.logs).await?;
        Ok(account)
    }

    fn end_sessions(&self) -> anyhow::Result<()> {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname IS NOT NULL AND pid <> pg_backend_pid()";
        self.postgres.query("postgres", sql)?;
        Ok(())
    }

    fn freeze_service(&mut self, binary: Binary) -> anyhow::Result<()> {
        let running = match binary {
            Binary::Checker => &self.checker,
            _ => &self.sink,
        };
        let running = running.as_ref().context("it does not run")?;
        self.frozen.push(freeze(running.service.id())?);
        Ok(())
    }

    async fn kill_checker(&mut self) -> anyhow::Result<()> {
        let checker = self.checker.take().context("no checker")?;
        self.logs
            .push(("a checker's log", checker.service.kill().await?));
        Ok(())
    }

    async fn kill_sink(&mut self) -> anyhow::Result<()> {
        let sink = self.sink.take().context("no sink")?;
        self.logs.push(("a sink's log", sink.service.kill().await?));
        Ok(())
    }

    async fn stop_checker(&mut self) -> anyhow::Result<()> {
        let checker = self.checker.take().context("no checker")?;
        self.logs.push(("a checker's log", ended(checker).await?));
        Ok(())
    }

    async fn stop_sink(&mut self) -> anyhow::Result<()> {
        let sink = self.sink.take().context("no sink")?;
        self.logs.push(("a sink's log", ended(sink).await?));
        Ok(())
    }
}

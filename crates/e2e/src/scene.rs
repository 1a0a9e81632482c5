//! A monitor at work, ways to disturb it, and the verdict at the end.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use chrono::Utc;
use serde_json::{Value, json};
use test_servers::{Authority, Identity, Leaf};

use crate::broker::{Broker, Line};
use crate::judge::{self, Account, Footprint, Kept};
use crate::service::{Binary, Service};
use crate::target::{Answer, Target};
use crate::wait::eventually;
use crate::world::World;

/// Strings that must never be seen outside of the table of the sites.
const SECRETS: [&str; 3] = [
    "canary-of-a-header",
    "canary-of-a-query",
    "canary-of-a-body",
];

/// The file of the private key that the sites have.
const SITES_KEY: &str = "sites.key";

/// How many sites there are.
pub const SITES: usize = 4;

/// Sites, a target, a database and a topic of a test's own on the shared servers, and a line to the
/// broker that may be disturbed.
pub struct Scene {
    /// The database, the topic and the environment.
    pub world: World,
    /// What is checked.
    pub target: Target,
    /// What results go through.
    pub broker: Arc<Broker>,
    /// Through which checker and sink reach the broker, unless they are told otherwise.
    pub line: Line,
}

/// A service at work, and what it took of the machine when it had begun.
pub struct Running {
    /// The service.
    pub service: Service,
    footprint: Footprint,
}

impl Scene {
    /// On the broker that the tests of this binary share.
    pub async fn new() -> anyhow::Result<Self> {
        Self::on(Broker::shared()?).await
    }

    /// On a broker of the test's own.
    pub async fn on(broker: Arc<Broker>) -> anyhow::Result<Self> {
        let world = World::bare().await?;
        Self::of(world, broker)
    }

    /// In a world of the test's own.
    pub fn of(mut world: World, broker: Arc<Broker>) -> anyhow::Result<Self> {
        let line = broker.line()?;
        world.set("KAFKA_BROKERS", broker.brokers());
        world.prepare(3)?;
        world.set("KAFKA_BROKERS", line.brokers());
        let target = furnish(&mut world)?;
        Ok(Self {
            world,
            target,
            broker,
            line,
        })
    }

    /// Starts a checker and waits until it is ready.
    pub async fn checker(&self) -> anyhow::Result<Running> {
        Running::when_ready(self.world.start(Binary::Checker)?).await
    }

    /// Starts a sink and waits until it is ready.
    pub async fn sink(&self) -> anyhow::Result<Running> {
        Running::when_ready(self.world.start(Binary::Sink)?).await
    }

    /// The same for one whose way to the broker nothing disturbs.
    pub async fn undisturbed_sink(&self) -> anyhow::Result<Running> {
        let brokers = self.broker.brokers();
        let sink = self
            .world
            .start_with(Binary::Sink, &[("KAFKA_BROKERS", brokers)])?;
        Running::when_ready(sink).await
    }

    /// Waits until the sites have been checked so many more times, by whoever does.
    pub async fn checks(&self, more: usize) -> anyhow::Result<()> {
        let before = self.hits();
        eventually(&format!("{more} more checks"), || async {
            let made = self.hits() - before;
            ensure!(made >= more, "{made} were made");
            Ok(Some(()))
        })
        .await
    }

    /// How often the sites have been checked.
    #[must_use]
    pub fn hits(&self) -> usize {
        self.target.hits("/?canary-of-a-query")
    }

    /// Waits until there are so many more rows.
    pub async fn more_rows(&self, more: usize) -> anyhow::Result<()> {
        let wanted = self.world.rows().await?.len() + more;
        self.world.stored(wanted).await?;
        Ok(())
    }

    /// The faults have stopped: what must hold? Ends the services.
    pub async fn verdict(&self, checker: Running, sink: Running) -> anyhow::Result<Account> {
        self.verdict_of(checker, sink, Kept::Everything).await
    }

    /// The same for a topic that may have lost what was in it.
    pub async fn verdict_of(
        &self,
        checker: Running,
        sink: Running,
        kept: Kept,
    ) -> anyhow::Result<Account> {
        verdict(&self.world, self.broker.brokers(), (checker, sink), kept).await
    }
}

/// Gives a world its sites, which the returned server is, and lets the group of its sinks not wait
/// long for one that has died.
pub fn furnish(world: &mut World) -> anyhow::Result<Target> {
    let target = Target::start(&[("/?canary-of-a-query", Answer::ok("hello"))])?;
    world.set("SINK_SESSION_TIMEOUT", "6s");
    let client = Authority::root()?.issue(&Leaf::of_client())?;
    world.write(SITES_KEY, &client.key)?;
    let sites: Vec<_> = (0..SITES)
        .map(|number| site(number, &target, &client))
        .collect();
    world.import(&sites)?;
    Ok(target)
}

/// The faults have stopped: what must hold? Ends the services. `brokers` is a way to the broker that
/// nothing disturbs.
pub async fn verdict(
    world: &World,
    brokers: &str,
    (checker, sink): (Running, Running),
    kept: Kept,
) -> anyhow::Result<Account> {
    judge::canary(world).await?;
    let mut texts = Vec::new();
    for running in [&checker, &sink] {
        let now = judge::footprint(running.service.id())?;
        now.is_bounded(running.footprint)?;
        texts.push(("metrics", running.service.get("/metrics")?.1));
    }
    let end = Utc::now();
    texts.push(("the checker's log", ended(checker).await?));
    let account = judge::every_event_is_one_row(world, brokers, kept).await?;
    if kept == Kept::Everything {
        judge::every_slot_has_a_row(world, end).await?;
    }
    texts.push(("the sink's log", ended(sink).await?));
    judge::no_secret(world, brokers, &secrets(world)?, &texts).await?;
    Ok(account)
}

/// What must not be seen anywhere.
pub(crate) fn secrets(world: &World) -> anyhow::Result<Vec<String>> {
    let url = &world.environment["DATABASE_URL"];
    let user = url.split_once('@').map(|(user, _)| user);
    let password = user.and_then(|user| user.rsplit_once(':'));
    let password = password.map(|(_, password)| password);
    let mut secrets: Vec<String> = SECRETS
        .into_iter()
        .chain(password)
        .map(str::to_owned)
        .collect();
    let of_sites = world.folder().join(SITES_KEY);
    let of_kafka = world.environment.get("KAFKA_SSL_KEY").map(PathBuf::from);
    for file in of_kafka.into_iter().chain([of_sites]) {
        let text = fs::read_to_string(&file).with_context(|| format!("no {}", file.display()))?;
        let lines = text.lines().filter(|line| !line.starts_with("-----"));
        secrets.extend(lines.map(str::to_owned));
    }
    Ok(secrets)
}

/// Stops a service, which must end cleanly; its log.
pub async fn ended(running: Running) -> anyhow::Result<String> {
    let (code, log) = running.service.terminate().await?;
    ensure!(code == Some(0), "ended with {code:?}:\n{log}");
    Ok(log)
}

impl Running {
    /// Waits until a service is ready.
    pub async fn when_ready(service: Service) -> anyhow::Result<Self> {
        service.is_ready().await?;
        Self::of(service)
    }

    /// A service as it is.
    pub fn of(service: Service) -> anyhow::Result<Self> {
        let footprint = judge::footprint(service.id())?;
        Ok(Self { service, footprint })
    }

    /// Waits until a counter or gauge of its metrics, all labels together, is at least so much.
    pub async fn counts(&self, metric: &str, least: f64) -> anyhow::Result<f64> {
        eventually(&format!("{metric} is {least}"), || async {
            let value = self.metric(metric)?;
            ensure!(value >= least, "it is {value}");
            Ok(Some(value))
        })
        .await
    }

    /// A counter or gauge of its metrics, all labels together; 0 when there is none.
    pub fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let (_, metrics) = self.service.get("/metrics")?;
        let of_that_name = |line: &&str| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
        };
        let lines = metrics.lines().filter(of_that_name);
        let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        Ok(values.sum())
    }
}

/// A site that is checked every second, with secrets wherever a site can have them.
fn site(number: usize, target: &Target, client: &Identity) -> Value {
    json!({
        "name": format!("site-{number}"),
        "url": target.url("/?canary-of-a-query"),
        "method": "POST",
        "headers": {"authorization": "Bearer canary-of-a-header"},
        "body": "canary-of-a-body",
        "tls_client_cert": client.pem(),
        "interval": "1s",
        "content_regex": "hello",
    })
}

//! A monitor at work, ways to disturb it, and the verdict at the end.

use std::sync::Arc;

use anyhow::ensure;
use chrono::Utc;
use e2e::judge::{self, Account, Footprint, Kept};
use e2e::{Answer, Binary, Broker, Line, Service, Target, World, eventually};
use serde_json::{Value, json};

/// Strings that must never be seen outside of the table of the sites.
const SECRETS: [&str; 3] = [
    "canary-of-a-header",
    "canary-of-a-query",
    "canary-of-a-body",
];

/// How many sites there are.
pub(crate) const SITES: usize = 4;

/// Sites, a target, a database and a topic of a test's own on the shared servers, and a line to the
/// broker that may be disturbed.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) target: Target,
    pub(crate) broker: Arc<Broker>,
    /// Through which checker and sink reach the broker, unless they are told otherwise.
    pub(crate) line: Line,
}

/// A service at work, and what it took of the machine when it had begun.
pub(crate) struct Running {
    pub(crate) service: Service,
    footprint: Footprint,
}

impl Scene {
    /// On the broker that the tests of this binary share.
    pub(crate) async fn new() -> anyhow::Result<Self> {
        Self::on(Broker::shared()?).await
    }

    /// On a broker of the test's own.
    pub(crate) async fn on(broker: Arc<Broker>) -> anyhow::Result<Self> {
        let world = World::bare().await?;
        Self::of(world, broker)
    }

    /// In a world of the test's own.
    pub(crate) fn of(mut world: World, broker: Arc<Broker>) -> anyhow::Result<Self> {
        let target = Target::start(&[("/?canary-of-a-query", Answer::ok("hello"))])?;
        let line = broker.line()?;
        world.set("KAFKA_BROKERS", broker.brokers());
        world.prepare(3)?;
        world.set("KAFKA_BROKERS", line.brokers());
        let spool = world.folder().join("spool");
        world.set("CHECKER_SPOOL_DIR", spool.to_string_lossy());
        let sites: Vec<_> = (0..SITES).map(|number| site(number, &target)).collect();
        world.import(&sites)?;
        Ok(Self {
            world,
            target,
            broker,
            line,
        })
    }

    /// Starts a checker and waits until it is ready.
    pub(crate) async fn checker(&self) -> anyhow::Result<Running> {
        Running::when_ready(self.world.start(Binary::Checker)?).await
    }

    /// Starts a sink and waits until it is ready.
    pub(crate) async fn sink(&self) -> anyhow::Result<Running> {
        Running::when_ready(self.world.start(Binary::Sink)?).await
    }

    /// Waits until the sites have been checked so many more times, by whoever does.
    pub(crate) async fn checks(&self, more: usize) -> anyhow::Result<()> {
        let before = self.hits();
        eventually(&format!("{more} more checks"), || async {
            let made = self.hits() - before;
            ensure!(made >= more, "{made} were made");
            Ok(Some(()))
        })
        .await
    }

    pub(crate) fn hits(&self) -> usize {
        self.target.hits("/?canary-of-a-query")
    }

    /// Waits until there are so many more rows.
    pub(crate) async fn more_rows(&self, more: usize) -> anyhow::Result<()> {
        let wanted = self.world.rows().await?.len() + more;
        self.world.stored(wanted).await?;
        Ok(())
    }

    /// The faults have stopped: what must hold? Ends the services.
    pub(crate) async fn verdict(&self, checker: Running, sink: Running) -> anyhow::Result<Account> {
        self.verdict_of(checker, sink, Kept::Everything).await
    }

    /// The same for a topic that may have lost what was in it.
    pub(crate) async fn verdict_of(
        &self,
        checker: Running,
        sink: Running,
        kept: Kept,
    ) -> anyhow::Result<Account> {
        judge::canary(&self.world).await?;
        let mut texts = Vec::new();
        for running in [&checker, &sink] {
            let now = judge::footprint(running.service.id())?;
            now.is_bounded(running.footprint)?;
            texts.push(("metrics", running.service.get("/metrics")?.1));
        }
        let end = Utc::now();
        texts.push(("the checker's log", ended(checker).await?));
        let brokers = self.broker.brokers();
        let account = judge::every_event_is_one_row(&self.world, brokers, kept).await?;
        if kept == Kept::Everything {
            judge::every_slot_has_a_row(&self.world, end).await?;
        }
        texts.push(("the sink's log", ended(sink).await?));
        self.judge_secrets(&texts).await?;
        Ok(account)
    }

    async fn judge_secrets(&self, texts: &[(&str, String)]) -> anyhow::Result<()> {
        let password = self.world.environment["DATABASE_URL"]
            .split_once('@')
            .and_then(|(user, _)| user.rsplit_once(':'))
            .map(|(_, password)| password);
        let secrets: Vec<_> = SECRETS.into_iter().chain(password).collect();
        judge::no_secret(&self.world, self.broker.brokers(), &secrets, texts).await
    }
}

/// Stops a service, which must end cleanly; its log.
pub(crate) async fn ended(running: Running) -> anyhow::Result<String> {
    let (code, log) = running.service.terminate().await?;
    ensure!(code == Some(0), "ended with {code:?}:\n{log}");
    Ok(log)
}

impl Running {
    /// Waits until a service is ready.
    pub(crate) async fn when_ready(service: Service) -> anyhow::Result<Self> {
        service.is_ready().await?;
        let footprint = judge::footprint(service.id())?;
        Ok(Self { service, footprint })
    }

    /// Waits until a counter or gauge of its metrics, all labels together, is at least so much.
    pub(crate) async fn counts(&self, metric: &str, least: f64) -> anyhow::Result<f64> {
        eventually(&format!("{metric} is {least}"), || async {
            let value = self.metric(metric)?;
            ensure!(value >= least, "it is {value}");
            Ok(Some(value))
        })
        .await
    }

    /// A counter or gauge of its metrics, all labels together; 0 when there is none.
    pub(crate) fn metric(&self, name: &str) -> anyhow::Result<f64> {
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
fn site(number: usize, target: &Target) -> Value {
    json!({
        "name": format!("site-{number}"),
        "url": target.url("/?canary-of-a-query"),
        "method": "POST",
        "headers": {"authorization": "Bearer canary-of-a-header"},
        "body": "canary-of-a-body",
        "interval": "1s",
        "content_regex": "hello",
    })
}

//! Faults that take several real brokers.

use std::time::Duration;

use e2e::judge::{Kept, canary};
use e2e::scene::{Running, SITES, furnish, verdict};
use e2e::{Binary, World, eventually};
use local_stack::{Kafka, KafkaOptions};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

/// So that a broker that is gone is missed within seconds, and leads again soon when it is back.
const SETTINGS: [(&str, &str); 4] = [
    ("broker.session.timeout.ms", "3000"),
    ("broker.heartbeat.interval.ms", "500"),
    ("leader.imbalance.check.interval.seconds", "1"),
    ("offsets.topic.replication.factor", "2"),
];
const TIMEOUT: Duration = Duration::from_secs(5);

/// Two brokers, of which the first is the controller as well.
struct Cluster {
    first: Kafka,
    second: Kafka,
    brokers: String,
}

impl Cluster {
    fn start() -> anyhow::Result<Self> {
        let settings: Vec<_> = SETTINGS
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let first = Kafka::start(KafkaOptions {
            settings: settings.clone(),
            ..KafkaOptions::default()
        })?;
        let second = Kafka::start(KafkaOptions {
            member: Some(first.member(2)),
            settings,
            ..KafkaOptions::default()
        })?;
        let brokers = format!("{},{}", first.brokers(), second.brokers());
        Ok(Self {
            first,
            second,
            brokers,
        })
    }

    /// Waits until both have a copy of all of a topic, and each leads some of it.
    async fn is_whole(&self, topic: &str) -> anyhow::Result<()> {
        let client: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.first.brokers())
            .create()?;
        eventually("both brokers lead, and have it all", || async {
            let metadata = client.fetch_metadata(Some(topic), TIMEOUT)?;
            let partitions = metadata.topics()[0].partitions();
            let whole = partitions.iter().all(|each| each.isr().len() == 2);
            let leads = |broker| partitions.iter().any(|each| each.leader() == broker);
            Ok((whole && leads(1) && leads(2)).then_some(()))
        })
        .await
    }

    /// From now on a result has to be on so many brokers before it counts as taken.
    async fn demand(&self, replicas: &str, topic: &str) -> anyhow::Result<()> {
        let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
            .set("bootstrap.servers", self.first.brokers())
            .create()?;
        let change =
            AlterConfig::new(ResourceSpecifier::Topic(topic)).set("min.insync.replicas", replicas);
        for altered in admin.alter_configs(&[change], &AdminOptions::new()).await? {
            altered.map_err(|(topic, code)| anyhow::anyhow!("{topic:?}: {code}"))?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_broker_of_two_is_done_without_unless_both_are_needed_and_then_waited_for()
-> anyhow::Result<()> {
    let mut cluster = Cluster::start()?;
    let mut world = World::with_kafka(&cluster.brokers).await?;
    world.admin(&["migrate"])?.success()?;
    let create = [
        "topics",
        "create",
        "--partitions",
        "3",
        "--replication-factor",
        "2",
    ];
    world.admin(&create)?.success()?;
    let topic = world.environment["KAFKA_TOPIC"].clone();
    let target = furnish(&mut world)?;
    let checker = Running::when_ready(world.start(Binary::Checker)?).await?;
    let sink = Running::when_ready(world.start(Binary::Sink)?).await?;
    canary(&world).await?;

    // One takes over what the other has led, and gives it back.
    cluster.is_whole(&topic).await?;
    cluster.second.kill()?;
    canary(&world).await?;
    cluster.second.restart()?;
    cluster.is_whole(&topic).await?;
    canary(&world).await?;

    // A result that only one of them would have is not taken.
    cluster.demand("2", &topic).await?;
    cluster.second.kill()?;
    checker
        .service
        .is_not_ready_because(&["spool", "replicas in sync"])
        .await?;
    let hits = || target.hits("/?canary-of-a-query");
    let before = hits();
    eventually("checks go on", || async {
        Ok((hits() >= before + 2 * SITES).then_some(()))
    })
    .await?;
    checker.counts("checker_spool_results", 8.0).await?;
    cluster.second.restart()?;
    canary(&world).await?;
    verdict(&world, &cluster.brokers, (checker, sink), Kept::Everything).await?;
    Ok(())
}

//! What takes several brokers, or errors that a broker gives only on a bad day: from the brokers that
//! librdkafka brings along for tests. The programs are the real ones, and so is the database.
//!
//! Those brokers do not check sequence numbers. An append that fails and is tried again while a later
//! one has succeeded, as with too few replicas, counts as done with them, which no real broker would
//! let happen: so this cannot be tried on them.

use anyhow::ensure;
use e2e::judge::{Kept, canary};
use e2e::scene::{Running, SITES, furnish, verdict};
use e2e::{Binary, Target, World};
use rdkafka::mocking::{MockCluster, MockCoordinator};
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

/// Three brokers, and a monitor on them.
struct Injected {
    brokers: MockCluster<'static, DefaultProducerContext>,
    world: World,
    topic: String,
    _target: Target,
    checker: Running,
    sink: Running,
}

impl Injected {
    async fn start() -> anyhow::Result<Self> {
        let brokers = MockCluster::new(3)?;
        let mut world = World::bare().await?;
        world.set("KAFKA_BROKERS", brokers.bootstrap_servers());
        let topic = world.environment["KAFKA_TOPIC"].clone();
        brokers.create_topic(&topic, 3, 3)?;
        brokers.create_topic(&format!("{topic}.dlq"), 1, 3)?;
        // Left alone it could be any of them, and nobody takes its place when that one is down.
        let group = world.environment["SINK_GROUP"].clone();
        brokers.coordinator(MockCoordinator::Group(group), 1)?;
        world.admin(&["migrate"])?.success()?;
        let target = furnish(&mut world)?;
        let checker = Running::when_ready(world.start(Binary::Checker)?).await?;
        let sink = Running::when_ready(world.start(Binary::Sink)?).await?;
        canary(&world).await?;
        Ok(Self {
            brokers,
            world,
            topic,
            _target: target,
            checker,
            sink,
        })
    }

    /// The next requests to append are answered with these errors.
    fn fail_appends(&self, errors: &[RDKafkaRespErr]) {
        self.brokers.request_errors(RDKafkaApiKey::Produce, errors);
    }

    async fn verdict(self) -> anyhow::Result<()> {
        let brokers = self.brokers.bootstrap_servers();
        let services = (self.checker, self.sink);
        verdict(&self.world, &brokers, services, Kept::Everything).await?;
        Ok(())
    }
}

#[tokio::test]
async fn partitions_that_move_to_other_brokers_are_followed() -> anyhow::Result<()> {
    let injected = Injected::start().await?;
    for leader in [2, 3, 1, 2] {
        for partition in 0..3 {
            let leader = Some((leader + partition) % 3 + 1);
            injected
                .brokers
                .partition_leader(&injected.topic, partition, leader)?;
        }
        canary(&injected.world).await?;
    }
    injected.verdict().await
}

#[tokio::test]
async fn a_broker_of_several_that_is_down_is_done_without() -> anyhow::Result<()> {
    let injected = Injected::start().await?;
    injected.brokers.broker_down(2)?;
    for partition in 0..3 {
        let leader = Some(if partition == 0 { 1 } else { 3 });
        injected
            .brokers
            .partition_leader(&injected.topic, partition, leader)?;
    }
    canary(&injected.world).await?;
    injected.brokers.broker_up(2)?;
    injected.verdict().await
}

#[tokio::test]
async fn a_producer_that_fails_for_good_is_replaced() -> anyhow::Result<()> {
    let injected = Injected::start().await?;
    let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    injected.fail_appends(&[error]);
    let log = || injected.checker.service.logs("making a new Kafka producer");
    log().await?;
    let rows = injected.world.rows().await?.len();
    ensure!(injected.world.stored(rows + 2 * SITES).await?.len() > rows);
    injected.verdict().await
}

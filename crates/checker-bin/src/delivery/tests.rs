//! Against librdkafka's own broker for such tests, which fails on request.

use std::thread;

use chrono::TimeDelta;
use monitor_config::Environment;
use monitor_core::event::{Hop, HttpFacts, Timings};
use monitor_core::{CheckEvent, Failure, FailureKind, SiteId, Slot};
use monitor_spool::Limits;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::Headers as _;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{ClientConfig, Message as _};
use tempfile::TempDir;

use super::*;

struct Fixture {
    delivery: Delivery,
    cluster: MockCluster<'static, DefaultProducerContext>,
    _folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("monitor.checks", 1, 1).unwrap();
        let environment =
            Environment::from_pairs([("KAFKA_BROKERS", cluster.bootstrap_servers().as_str())]);
        let settings = environment.load::<KafkaSettings>().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits {
            bytes: u64::MAX,
            records: u64::MAX,
        };
        let storage = Storage::open(&folder.path().join("eu.spool"), limits).unwrap();
        Self {
            delivery: Delivery::new(&settings, "test", storage).unwrap(),
            cluster,
            _folder: folder,
        }
    }

    fn fails_with(&self, errors: &[RDKafkaRespErr]) {
        self.cluster.request_errors(RDKafkaApiKey::Produce, errors);
    }

    fn post(&mut self, results: &[CheckEvent]) {
        let packed = |result| Posted::Result(parcel::pack(result).unwrap());
        self.delivery
            .turn(&mut results.iter().map(packed).collect());
    }

    /// Takes turns until nothing waits any more; returns what was the trouble meanwhile.
    fn deliver(&mut self) -> Option<String> {
        let (started, mut trouble) = (Instant::now(), None);
        while self.delivery.depth().records > 0 {
            assert!(started.elapsed() < Duration::from_mins(1), "{trouble:?}");
            thread::sleep(Duration::from_millis(10));
            self.delivery.turn(&mut Vec::new());
            trouble = self.delivery.trouble().map(str::to_owned).or(trouble);
        }
        assert_eq!(
            (self.delivery.in_flight(), self.delivery.trouble()),
            (0, None)
        );
        trouble
    }

    /// The next events in the topic.
    fn received(&self, count: usize) -> Vec<CheckEvent> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.cluster.bootstrap_servers())
            .set("group.id", "test")
            .set("auto.offset.reset", "earliest")
            .create()
            .unwrap();
        let mut partitions = rdkafka::TopicPartitionList::new();
        let first = rdkafka::Offset::Beginning;
        partitions
            .add_partition_offset("monitor.checks", 0, first)
            .unwrap();
        consumer.assign(&partitions).unwrap();
        let mut events = Vec::new();
        while events.len() < count {
            let message = consumer.poll(Duration::from_mins(1)).unwrap().unwrap();
            let event: CheckEvent = serde_json::from_slice(message.payload().unwrap()).unwrap();
            assert_eq!(message.key(), Some(event.key().as_bytes()));
            let headers = message.headers().unwrap();
            let header = |index| headers.get(index).value.unwrap();
            assert_eq!(header(0), SCHEMA.as_bytes());
            assert_eq!(header(1), event.traceparent().as_bytes());
            events.push(event);
        }
        events
    }
}

fn results(count: i64) -> Vec<CheckEvent> {
    let result = |number| {
        let slot = Slot {
            site_id: SiteId(number % 7 + 1),
            region: "local".parse().unwrap(),
            scheduled_at: DateTime::UNIX_EPOCH + TimeDelta::seconds(number),
        };
        CheckEvent::missed(
            &slot,
            "test",
            Failure::new(FailureKind::NotRunning, None, "-"),
        )
    };
    (0..count).map(result).collect()
}

fn large_result() -> CheckEvent {
    let hop = Hop {
        url: format!("http://a/{}", "x".repeat(2000)),
        status_code: 301,
        remote_addr: None,
        timings_us: Timings::default(),
    };
    let http = HttpFacts {
        version: Some("1.1".to_owned()),
        remote_addr: None,
        redirects: 50,
        final_url: Some("http://a/".to_owned()),
        body_bytes: 7,
        hops: vec![hop; 50],
    };
    let mut result = results(1).remove(0);
    result.http = Some(http);
    result
}

#[test]
fn results_arrive_in_order_and_leave_the_spool() {
    let mut fixture = Fixture::new();
    let results = results(500);
    fixture.post(&results[..200]);
    fixture.post(&results[200..]);
    assert_eq!(fixture.deliver(), None);
    assert_eq!(fixture.received(500), results);
}

#[test]
fn a_producer_that_fails_for_good_is_replaced_and_everything_arrives() {
    let mut fixture = Fixture::new();
    let results = results(20);
    fixture.post(&results[..5]);
    fixture.deliver();
    fixture.fails_with(&[RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER]);
    fixture.post(&results[5..]);
    // They were refused for good: only another producer can have sent them again.
    assert!(fixture.deliver().is_some());
    assert_eq!(fixture.received(20), results);
}

#[test]
fn a_right_that_is_missing_keeps_results_waiting_until_it_is_there() {
    let mut fixture = Fixture::new();
    fixture.fails_with(&[RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; 2]);
    fixture.post(&results(9));
    let trouble = fixture.deliver().unwrap();
    assert!(trouble.contains("authorization failed"), "{trouble}");
    assert_eq!(fixture.received(9), results(9));
}

#[test]
fn a_result_that_is_too_large_arrives_without_its_evidence() {
    let mut fixture = Fixture::new();
    fixture.fails_with(&[RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE]);
    fixture.post(&[large_result()]);
    assert_eq!(fixture.deliver(), None);
    let received = fixture.received(1).remove(0);
    assert_eq!(received.id, large_result().id);
    assert!(received.http.unwrap().hops.is_empty());
}

#[test]
fn a_result_that_stays_too_large_is_dropped_and_holds_nobody_up() {
    let mut fixture = Fixture::new();
    fixture.fails_with(&[RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE; 2]);
    // Something that is no evidence.
    let mut result = large_result();
    result.checker = "x".repeat(100_000);
    fixture.post(&[result]);
    fixture.deliver();
    fixture.post(&results(3));
    fixture.deliver();
    assert_eq!(fixture.received(3), results(3));
}

//! What becomes of messages when the client fails, against librdkafka's own broker for such tests.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use monitor_config::Environment;
use monitor_kafka::{Deliveries, KafkaError, KafkaSettings, Outgoing, Producer};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

fn broker() -> MockCluster<'static, DefaultProducerContext> {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("monitor.checks", 1, 1).unwrap();
    cluster
}

fn producer(brokers: &str) -> (Producer, Deliveries) {
    let environment = Environment::from_pairs([("KAFKA_BROKERS", brokers)]);
    let settings = environment.load::<KafkaSettings>().unwrap();
    Producer::new(&settings, &settings.topic, "test").unwrap()
}

fn send(producer: &Producer, sequence: usize, payload: &[u8]) {
    let message = Outgoing {
        key: Some(b"1"),
        payload: Some(payload),
        headers: &[],
    };
    producer.send(sequence, message).unwrap();
}

async fn delivered(deliveries: &mut Deliveries) -> (usize, Result<(), KafkaError>) {
    let delivery = deliveries.recv().await.unwrap();
    (delivery.sequence, delivery.result)
}

#[tokio::test]
async fn a_producer_that_has_failed_for_good_says_so_and_its_successor_delivers() {
    let cluster = broker();
    let (mut producer, mut deliveries) = producer(&cluster.bootstrap_servers());
    send(&producer, 1, b"one");
    assert!(matches!(delivered(&mut deliveries).await, (1, Ok(()))));
    assert!(producer.fatal_error().is_none());

    let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    cluster.request_errors(RDKafkaApiKey::Produce, &[error; 3]);
    send(&producer, 2, b"two");
    let (sequence, result) = delivered(&mut deliveries).await;
    assert!(sequence == 2 && result.is_err(), "{sequence} {result:?}");
    let fatal = producer.fatal_error();
    assert!(matches!(fatal, Some(KafkaError::Fatal(_))), "{fatal:?}");

    cluster.clear_request_errors(RDKafkaApiKey::Produce);
    let mut deliveries = producer.renew().unwrap();
    assert!(producer.fatal_error().is_none());
    send(&producer, 2, b"two");
    assert!(matches!(delivered(&mut deliveries).await, (2, Ok(()))));
}

#[tokio::test]
async fn a_message_that_is_too_large_is_told_from_other_trouble() {
    let cluster = broker();
    let (producer, mut deliveries) = producer(&cluster.bootstrap_servers());
    for (error, too_large) in [
        (RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, true),
        (
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
            false,
        ),
    ] {
        cluster.request_errors(RDKafkaApiKey::Produce, &[error]);
        send(&producer, 7, b"seven");
        let (sequence, result) = delivered(&mut deliveries).await;
        let told = result.unwrap_err();
        assert_eq!((sequence, told.is_too_large()), (7, too_large), "{told}");
    }
}

//! A Kafka broker that starts, stops, crashes and comes back.

use std::net::TcpStream;

use local_stack::{Kafka, KafkaOptions, KafkaTls};

#[test]
fn a_broker_comes_back_on_its_port_after_a_stop_and_after_a_crash() {
    let mut broker = Kafka::start(KafkaOptions::default()).unwrap();
    let address = broker.brokers();
    TcpStream::connect(&address).unwrap();

    broker.restart().unwrap();
    assert_eq!(broker.brokers(), address);
    TcpStream::connect(&address).unwrap();

    broker.kill().unwrap();
    assert!(TcpStream::connect(&address).is_err());
    broker.restart().unwrap();
    TcpStream::connect(&address).unwrap();
}

#[test]
fn a_wrong_setting_is_told_in_the_words_of_the_broker() {
    let options = KafkaOptions {
        settings: vec![("num.io.threads".to_owned(), "many".to_owned())],
        ..KafkaOptions::default()
    };
    let error = format!("{:#}", Kafka::start(options).unwrap_err());
    assert!(error.contains("cannot start Kafka"), "{error}");
    assert!(error.contains("num.io.threads"), "{error}");
}

#[test]
fn a_kept_folder_serves_the_next_run_on_the_same_port_with_and_without_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = KafkaTls {
        keystore: folder.path().join("broker.pem"),
        truststore: folder.path().join("ca.pem"),
    };
    let (key, certificate) = (made.signing_key.serialize_pem(), made.cert.pem());
    std::fs::write(&tls.keystore, format!("{key}{certificate}")).unwrap();
    std::fs::write(&tls.truststore, certificate).unwrap();
    let options = |tls| KafkaOptions {
        directory: Some(folder.path().join("kafka")),
        tls,
        ..KafkaOptions::default()
    };

    let first = Kafka::start(options(Some(tls))).unwrap();
    let address = first.brokers();
    TcpStream::connect(first.tls_brokers().unwrap()).unwrap();
    drop(first);

    let second = Kafka::start(options(None)).unwrap();
    assert_eq!(second.brokers(), address);
    assert!(second.tls_brokers().is_err());
}

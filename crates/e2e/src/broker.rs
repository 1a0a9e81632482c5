//! A broker that the tests of one binary share, with proxies in front of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use anyhow::Context as _;
use local_stack::{Kafka, KafkaOptions};
use test_servers::{Proxy, Traffic};

/// How many lines there are to the shared broker.
const LINES: usize = 16;

/// An Apache Kafka with a number of lines to it.
pub struct Broker {
    kafka: Mutex<Kafka>,
    brokers: String,
    free: Mutex<Vec<Proxy>>,
}

/// A way to the broker through a proxy of its own. Whoever takes it as `KAFKA_BROKERS` is told of no
/// other.
pub struct Line {
    broker: Arc<Broker>,
    proxy: Option<Proxy>,
}

/// The broker that is shared, for as long as anybody uses it.
static SHARED: Mutex<Weak<Broker>> = Mutex::new(Weak::new());

impl Broker {
    /// The broker that all tests of this process share, started if it does not run. Only lines may
    /// be disturbed, and topics of one's own.
    pub fn shared() -> anyhow::Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(broker) = shared.upgrade() {
            return Ok(broker);
        }
        let broker = Self::start(LINES, Vec::new())?;
        *shared = Arc::downgrade(&broker);
        Ok(broker)
    }

    /// A broker of one's own, with so many lines and further settings.
    pub fn start(lines: usize, settings: Vec<(String, String)>) -> anyhow::Result<Arc<Self>> {
        let proxies: Vec<_> = (0..lines)
            .map(|_| Proxy::start(None))
            .collect::<Result<_, _>>()?;
        let kafka = Kafka::start(KafkaOptions {
            proxies: proxies.iter().map(Proxy::port).collect(),
            settings,
            ..KafkaOptions::default()
        })?;
        for (proxy, port) in proxies.iter().zip(kafka.proxied_ports()) {
            proxy.lead_to(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port));
        }
        Ok(Arc::new(Self {
            brokers: kafka.brokers(),
            kafka: Mutex::new(kafka),
            free: Mutex::new(proxies),
        }))
    }

    /// `host:port` without a proxy.
    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Does something to the broker itself, which is a broker of one's own.
    pub fn with<T>(&self, act: impl FnOnce(&mut Kafka) -> T) -> T {
        act(&mut self.kafka.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A line that nobody else has.
    pub fn line(self: &Arc<Self>) -> anyhow::Result<Line> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let proxy = free.pop().context("no line to the broker is free")?;
        Ok(Line {
            broker: Arc::clone(self),
            proxy: Some(proxy),
        })
    }
}

impl Line {
    /// `host:port` to reach the broker through this line.
    #[must_use]
    pub fn brokers(&self) -> String {
        self.proxy
            .as_ref()
            .map_or_else(String::new, |proxy| proxy.address().to_string())
    }

    /// Deals with all traffic of this line in this way from now on.
    pub fn set(&self, traffic: Traffic) {
        self.proxy.iter().for_each(|proxy| proxy.set(traffic));
    }

    /// Resets every open connection, once.
    pub fn reset(&self) {
        self.proxy.iter().for_each(Proxy::reset);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(proxy) = self.proxy.take() {
            proxy.reset();
            proxy.set(Traffic::Flows);
            let free = self.broker.free.lock();
            free.unwrap_or_else(PoisonError::into_inner).push(proxy);
        }
    }
}

//! How a broker is started.

use std::path::PathBuf;

use crate::control::Control;

/// What a listener needs that encrypts and wants to know its clients.
#[derive(Clone, Debug)]
pub struct KafkaTls {
    /// A PEM file with the broker's private key (PKCS#8, not encrypted) and its certificate chain;
    /// the certificate is valid for `localhost`.
    pub keystore: PathBuf,
    /// A PEM file with the authorities that clients' certificates must be signed by.
    pub truststore: PathBuf,
}

/// A place in the cluster of a broker that runs, for another one.
#[derive(Clone, Copy, Debug)]
pub struct KafkaMember {
    /// Its number, which nobody else has.
    pub(crate) node: u32,
    /// The port of the first broker's controller.
    pub(crate) controller: u16,
}

/// How a broker is started. The default: temporary, on any free port, without TLS.
#[derive(Clone, Debug, Default)]
pub struct KafkaOptions {
    /// Where its data is kept; `None` for a folder that is removed afterwards.
    pub directory: Option<PathBuf>,
    /// A second listener, with mutual TLS.
    pub tls: Option<KafkaTls>,
    /// The ports of proxies that stand in front of the broker. For each it has a further listener
    /// without encryption, and tells the clients of that listener to come to the proxy's port.
    pub proxies: Vec<u16>,
    /// The cluster that it belongs to; `None` for one of its own.
    pub member: Option<KafkaMember>,
    /// The port to use if it is free; a kept folder remembers its last one by itself.
    pub port: Option<u16>,
    /// Its log; `None` for a file beside the data.
    pub log: Option<PathBuf>,
    /// Further settings, as in `server.properties`.
    pub settings: Vec<(String, String)>,
    /// For giving up early.
    pub control: Control,
}

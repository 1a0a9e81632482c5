//! Certificates of a test's own, and servers that ask for them.

use std::path::PathBuf;

use local_stack::{Kafka, KafkaOptions, KafkaTls};
use tempfile::TempDir;
use test_servers::{Authority, Identity, Leaf};

use crate::world::World;

/// A certificate authority with its certificate in `ca.pem`, and a folder for all that is signed.
pub struct Keys {
    folder: TempDir,
    /// Signs certificates.
    pub authority: Authority,
}

impl Keys {
    /// A new authority.
    pub fn new() -> anyhow::Result<Self> {
        let keys = Self {
            folder: TempDir::new()?,
            authority: Authority::root()?,
        };
        std::fs::write(keys.path("ca.pem"), keys.authority.pem())?;
        Ok(keys)
    }

    /// Goes on with another authority, of this name, in the place of the one so far.
    pub fn replace_authority(&mut self, name: &str) -> anyhow::Result<()> {
        self.authority = Authority::root_called(name)?;
        Ok(std::fs::write(self.path("ca.pem"), self.authority.pem())?)
    }

    /// The path of one of its files.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A broker that shows this identity, and asks for a certificate of the authority.
    pub fn kafka(&self, identity: &Leaf) -> anyhow::Result<Kafka> {
        self.show(identity)?;
        Kafka::start(KafkaOptions {
            tls: Some(KafkaTls {
                keystore: self.path("broker.pem"),
                truststore: self.path("ca.pem"),
            }),
            ..KafkaOptions::default()
        })
    }

    /// Lets the broker show this identity from its next start on.
    pub fn show(&self, identity: &Leaf) -> anyhow::Result<()> {
        let Identity { chain, key } = self.authority.issue(identity)?;
        // Kafka takes key and certificate chain from one file.
        std::fs::write(self.path("broker.pem"), format!("{key}{chain}"))?;
        Ok(())
    }

    /// Lets the binaries of a world log in to Kafka with a client certificate.
    pub fn log_in(
        &self,
        world: &mut World,
        kafka: &Kafka,
        client: &Identity,
    ) -> anyhow::Result<()> {
        let (certificate, key) = client.write(self.folder.path(), "service")?;
        world.set("KAFKA_BROKERS", kafka.tls_brokers()?);
        world.set("KAFKA_SECURITY_PROTOCOL", "ssl");
        world.set("KAFKA_SSL_CA", self.path("ca.pem").to_string_lossy());
        world.set("KAFKA_SSL_CERT", certificate.to_string_lossy());
        world.set("KAFKA_SSL_KEY", key.to_string_lossy());
        Ok(())
    }
}

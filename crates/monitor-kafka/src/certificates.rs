//! Certificates that are replaced on disk while clients use them.
//!
//! librdkafka reads the files when a client is made, and never again. So whoever wants to go on with
//! new ones makes a new client, once the files are such that one can be made.

use std::future::pending;
use std::path::PathBuf;
use std::time::Duration;

use monitor_config::{FileStamp, Section as _};
use rdkafka::consumer::BaseConsumer;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::client::Context;
use crate::error::KafkaError;
use crate::read::Alone;
use crate::settings::KafkaSettings;

/// How often to look whether a file has changed.
const POLL: Duration = Duration::from_secs(10);

/// The certificate, key and authority of a client, followed as their files change.
#[derive(Debug)]
pub struct Certificates {
    settings: KafkaSettings,
    files: Vec<PathBuf>,
    seen: FileStamp,
}

impl Certificates {
    /// Those of these settings as they are now. To be made before the clients are, so that no change
    /// is overlooked.
    #[must_use]
    pub fn of(settings: &KafkaSettings) -> Self {
        let files = settings.certificate_files();
        Self {
            settings: settings.clone(),
            seen: FileStamp::of(&files),
            files,
        }
    }

    /// Returns once the files have been replaced by others that a client can be made with. Files that
    /// none can be made with, such as a half-written one or a certificate without its key, are told of,
    /// once for each change.
    ///
    /// Never returns where no files are used.
    pub async fn replaced(&mut self) {
        if self.files.is_empty() {
            return pending().await;
        }
        loop {
            sleep(POLL).await;
            match self.look().await {
                Ok(false) => {}
                Ok(true) => {
                    tracing::info!(
                        "the certificates for Kafka were replaced: going on with new ones"
                    );
                    self.settings.log_warnings();
                    return;
                }
                Err(error) => {
                    tracing::warn!(
                        "{error}; going on with the certificates for Kafka as last read"
                    );
                }
            }
        }
    }

    /// Whether the files have changed; an error when they cannot be used as they are.
    async fn look(&mut self) -> Result<bool, KafkaError> {
        let (files, seen) = (self.files.clone(), self.seen.clone());
        let settings = self.settings.clone();
        let looking = spawn_blocking(move || {
            // Taken first, so that a change while reading is seen as one the next time.
            let present = FileStamp::of(&files);
            let usable = (present != seen).then(|| usable(&settings));
            (present, usable)
        });
        let (present, usable) = looking
            .await
            .map_err(|panic| KafkaError::Fatal(panic.to_string()))?;
        self.seen = present;
        usable.transpose().map(|changed| changed.is_some())
    }
}

/// Whether a client can be made: for this librdkafka reads all files, and compares the certificate
/// with its key. Without brokers it connects to none.
fn usable(settings: &KafkaSettings) -> Result<(), KafkaError> {
    let problems: Vec<_> = settings
        .validate()
        .iter()
        .map(ToString::to_string)
        .collect();
    if !problems.is_empty() {
        return Err(KafkaError::Certificates(problems.join("; ")));
    }
    let mut config = settings.client_config("trial");
    config.remove("bootstrap.servers");
    let made = config.create_with_context::<_, BaseConsumer<_>>(Context::new(Alone));
    made.map(drop)
        .map_err(|error| KafkaError::Certificates(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use monitor_config::Environment;
    use test_servers::{Authority, Identity, Leaf};
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_files_that_a_client_can_be_made_with_are_news() {
        let authority = Authority::root().unwrap();
        let issue = || authority.issue(&Leaf::of_client()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let write = |name: &str, text: &str| fs::write(path(name), text).unwrap();
        let (first, second) = (issue(), issue());
        write("ca", authority.pem());
        write("cert", &first.chain);
        write("key", &first.key);
        let settings = Environment::from_pairs([
            ("KAFKA_BROKERS", "localhost:1".to_owned()),
            ("KAFKA_SECURITY_PROTOCOL", "ssl".to_owned()),
            ("KAFKA_SSL_CA", path("ca")),
            ("KAFKA_SSL_CERT", path("cert")),
            ("KAFKA_SSL_KEY", path("key")),
        ]);
        let settings = settings.load::<KafkaSettings>().unwrap();
        let mut certificates = Certificates::of(&settings);
        let mut is_news = async || timeout(3 * POLL, certificates.replaced()).await.is_ok();
        assert!(!is_news().await, "nothing has changed");
        let Identity { chain, key } = second;
        write("cert", &chain[..chain.len() / 2]);
        assert!(!is_news().await, "half a certificate");
        write("cert", &chain);
        assert!(!is_news().await, "the key of another certificate");
        write("key", &key);
        assert!(is_news().await, "a certificate and its key");
        assert!(!is_news().await, "nothing has changed since");
    }
}

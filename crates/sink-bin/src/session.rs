//! From joining the consumer group to leaving it, and all that lives as long.
//!
//! A Kafka client cannot be given new certificates. When they have been replaced on disk, the sink
//! leaves the group as it does at its end, and joins it again with new clients: what was not stored
//! by then is read again.

use monitor_kafka::{
    Certificates, Consumer, ConsumerOptions, DeadLetters, Extent, KafkaSettings, Link,
};
use monitor_runtime::{CancellationToken, Component, retry_until_ready};
use monitor_store::DatabaseSettings;
use tokio::sync::watch;

use crate::backlog::Waiting;
use crate::config::SinkSettings;
use crate::letters::Letters;
use crate::settle::Settler;
use crate::writer::Writer;
use crate::{observe, pipeline};

/// Batches that are stored at the same time: while the database works on one, the next is read, and
/// while it waits for its disk to commit one, it works on the next.
const WRITERS: usize = 2;

/// What every session is made of.
pub(crate) struct Sessions {
    pub(crate) settings: SinkSettings,
    pub(crate) kafka: KafkaSettings,
    pub(crate) database: DatabaseSettings,
    pub(crate) components: Components,
    /// Told how many events wait to be stored.
    pub(crate) waiting: watch::Sender<Waiting>,
}

/// Through which it is told what is in the way.
pub(crate) struct Components {
    pub(crate) database: Component,
    pub(crate) kafka: Component,
    pub(crate) letters: Component,
}

impl Sessions {
    /// Stores what the topic holds now.
    pub(crate) async fn once(&self, stop: &CancellationToken) -> anyhow::Result<()> {
        let consumer = Consumer::start(&self.kafka, &self.options(Extent::UntilEnd))?;
        self.store(consumer, stop).await
    }

    /// Stores what comes until `stop`, in one session after the other.
    pub(crate) async fn run(&self, stop: &CancellationToken) -> anyhow::Result<()> {
        // Looked at before any client is made that has to be made anew when they change.
        let mut certificates = Certificates::of(&self.kafka);
        let options = self.options(Extent::Forever);
        let start = || async { Consumer::start(&self.kafka, &options) };
        while let Some(consumer) = retry_until_ready(&self.components.kafka, stop, start).await {
            let session = stop.child_token();
            let until_replaced = async {
                let replaced = certificates.replaced();
                if session.run_until_cancelled(replaced).await.is_some() {
                    session.cancel();
                }
            };
            let (stored, ()) = tokio::join!(self.session(consumer, &session), until_replaced);
            stored?;
            if stop.is_cancelled() {
                break;
            }
        }
        Ok(())
    }

    async fn session(&self, consumer: Consumer, stop: &CancellationToken) -> anyhow::Result<()> {
        let (progress, link) = (consumer.progress(), consumer.link());
        let storing = async {
            // Whatever ends it ends the session.
            let _end = stop.clone().drop_guard();
            self.store(consumer, stop).await
        };
        let telling = observe::follow(progress, &self.waiting, stop.clone());
        let watching = self.components.kafka.follow(link, Link::trouble, stop);
        let (stored, (), ()) = tokio::join!(storing, telling, watching);
        stored
    }

    async fn store(&self, consumer: Consumer, stop: &CancellationToken) -> anyhow::Result<()> {
        let progress = consumer.progress();
        let dead_letters = DeadLetters::new(&self.kafka, &client_id(), &self.settings.group)?;
        let settler = Settler::new(
            progress.clone(),
            Letters::new(dead_letters, self.components.letters.clone()),
            self.components.database.clone(),
            self.settings.batch_max_events,
            stop.clone(),
        );
        let writer = || {
            let group = self.settings.group.clone();
            Writer::new(self.database.clone(), group, progress.clone())
        };
        let writers = std::iter::repeat_with(writer).take(WRITERS).collect();
        pipeline::run(consumer, settler, writers, &self.settings, stop.clone()).await
    }

    fn options(&self, extent: Extent) -> ConsumerOptions {
        ConsumerOptions {
            group: self.settings.group.clone(),
            client_id: client_id(),
            extent,
            chunk_size: self.settings.chunk_size(),
            session_timeout: self.settings.session_timeout,
        }
    }
}

fn client_id() -> String {
    format!("sink-{}", std::process::id())
}

//! The sink from start to end.

use monitor_kafka::{Consumer, ConsumerOptions, DeadLetters, Extent, KafkaSettings, Link, topics};
use monitor_runtime::{Context, retry_until_ready};
use monitor_store::DatabaseSettings;

use crate::config::{Arguments, SinkSettings};
use crate::letters::Letters;
use crate::maintenance::Maintenance;
use crate::retention::RetentionSettings;
use crate::settle::Settler;
use crate::writer::{Writer, connect};
use crate::{observe, pipeline};

type Settings = (
    SinkSettings,
    RetentionSettings,
    KafkaSettings,
    DatabaseSettings,
);

/// Batches that are stored at the same time: while the database works on one, the next is read, and
/// while it waits for its disk to commit one, it works on the next.
const WRITERS: usize = 2;

pub(crate) async fn run(
    arguments: Arguments,
    (settings, retention, kafka, database): Settings,
    context: Context,
) -> anyhow::Result<()> {
    kafka.log_warnings();
    let database_component = context.readiness.component("database");
    let kafka_component = context.readiness.component("kafka");
    let letters_component = context.readiness.component("dead letters");

    let maintenance = Maintenance::new(
        database.clone(),
        retention.in_days(),
        context.readiness.component("maintenance"),
    );
    let connect = || connect(&database);
    if retry_until_ready(&database_component, &context.stop, connect)
        .await
        .is_none()
    {
        return Ok(());
    }
    let check = || topics::check(&kafka);
    if retry_until_ready(&kafka_component, &context.stop, check)
        .await
        .is_none()
    {
        return Ok(());
    }

    let consumer = Consumer::start(&kafka, &options(&arguments, &settings))?;
    let progress = consumer.progress();
    if !arguments.once {
        let (link, stop) = (consumer.link(), context.stop.clone());
        context.spawn("kafka", async move {
            kafka_component.follow(link, Link::trouble, &stop).await;
            Ok(())
        });
        let (progress, stop) = (progress.clone(), context.stop.clone());
        context.spawn("lag", async move {
            observe::follow(progress, stop).await;
            Ok(())
        });
    }
    let dead_letters = DeadLetters::new(&kafka, &client_id(), &settings.group)?;
    let settler = Settler::new(
        progress.clone(),
        Letters::new(dead_letters, letters_component),
        database_component,
        settings.batch_max_events,
        context.stop.clone(),
    );
    let writer = || Writer::new(database.clone(), settings.group.clone(), progress.clone());
    let writers = std::iter::repeat_with(writer).take(WRITERS).collect();
    let stop = context.stop.clone();
    let storing = pipeline::run(consumer, settler, writers, &settings, stop.clone());
    if arguments.once {
        storing.await?;
        maintenance.once(&stop).await;
        return Ok(());
    }
    maintenance.start(&context, progress);
    let compared = stop.run_until_cancelled(retention.compare_with_topic(&kafka));
    let (stored, _) = tokio::join!(storing, compared);
    stored
}

fn client_id() -> String {
    format!("sink-{}", std::process::id())
}

fn options(arguments: &Arguments, settings: &SinkSettings) -> ConsumerOptions {
    ConsumerOptions {
        group: settings.group.clone(),
        client_id: client_id(),
        extent: if arguments.once {
            Extent::UntilEnd
        } else {
            Extent::Forever
        },
        chunk_size: settings.chunk_size(),
        session_timeout: settings.session_timeout,
    }
}

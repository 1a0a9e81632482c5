//! The sink from start to end.

use monitor_kafka::{Consumer, ConsumerOptions, DeadLetters, Extent, KafkaSettings, Link, topics};
use monitor_runtime::{Context, retry_until_ready};
use monitor_store::DatabaseSettings;
use tokio::sync::Mutex;

use crate::config::{Arguments, SinkSettings};
use crate::maintenance::Maintenance;
use crate::pipeline;
use crate::retention::RetentionSettings;
use crate::settle::Settler;
use crate::writer::Writer;

type Settings = (
    SinkSettings,
    RetentionSettings,
    KafkaSettings,
    DatabaseSettings,
);

pub(crate) async fn run(
    arguments: Arguments,
    (settings, retention, kafka, database): Settings,
    context: Context,
) -> anyhow::Result<()> {
    kafka.log_warnings();
    let database_component = context.readiness.component("database");
    let kafka_component = context.readiness.component("kafka");

    let maintenance = Maintenance::new(
        database.clone(),
        retention.in_days(),
        context.readiness.component("maintenance"),
    );
    let writer = Mutex::new(Writer::new(database));
    let connect = || async { writer.lock().await.connect().await };
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
    if !arguments.once {
        let (link, component, stop) = (
            consumer.link(),
            kafka_component.clone(),
            context.stop.clone(),
        );
        context.spawn("kafka", async move {
            component.follow(link, Link::trouble, &stop).await;
            Ok(())
        });
    }
    let dead_letters = DeadLetters::new(&kafka, &client_id())?;
    let components = (database_component, kafka_component);
    let settler = Settler::new(
        writer.into_inner(),
        dead_letters,
        components,
        context.stop.clone(),
    );
    let stop = context.stop.clone();
    if arguments.once {
        pipeline::run(consumer, settler, &settings, stop.clone()).await?;
        maintenance.once(&stop).await;
        return Ok(());
    }
    maintenance.start(&context);
    let compared = stop.run_until_cancelled(retention.compare_with_topic(&kafka));
    let storing = pipeline::run(consumer, settler, &settings, stop.clone());
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
    }
}

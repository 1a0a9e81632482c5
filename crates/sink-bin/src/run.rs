//! The sink from start to end.

use monitor_kafka::{KafkaSettings, topics};
use monitor_runtime::{Context, retry_until_ready};
use monitor_store::DatabaseSettings;
use tokio::sync::watch;

use crate::config::{Arguments, SinkSettings};
use crate::maintenance::Maintenance;
use crate::retention::RetentionSettings;
use crate::session::{Components, Sessions};
use crate::writer::connect;

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
    let [database_component, kafka_component, letters] =
        ["database", "kafka", "dead letters"].map(|name| context.readiness.component(name));
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

    let (waiting, seen_waiting) = watch::channel(None);
    let sessions = Sessions {
        settings,
        kafka,
        database,
        components: Components {
            database: database_component,
            kafka: kafka_component,
            letters,
        },
        waiting,
    };
    let stop = &context.stop;
    if arguments.once {
        sessions.once(stop).await?;
        maintenance.once(stop).await;
        return Ok(());
    }
    maintenance.start(&context, seen_waiting);
    let comparing = retention.compare_with_topic(&sessions.kafka);
    let compared = stop.run_until_cancelled(comparing);
    let (stored, _) = tokio::join!(sessions.run(stop), compared);
    stored
}

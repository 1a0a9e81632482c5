//! How long a topic keeps its messages.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;

use super::{TIMEOUT, admin_config};
use crate::error::KafkaError;
use crate::settings::KafkaSettings;

/// How long the topic of check events keeps them; `None` is for ever.
pub async fn retention(settings: &KafkaSettings) -> Result<Option<Duration>, KafkaError> {
    let admin: AdminClient<DefaultClientContext> = admin_config(settings)
        .create()
        .map_err(KafkaError::doing("cannot make a Kafka admin client"))?;
    let described = admin
        .describe_configs(
            [&ResourceSpecifier::Topic(&settings.topic)],
            &AdminOptions::new().request_timeout(Some(TIMEOUT)),
        )
        .await
        .map_err(KafkaError::doing("cannot ask for the topic's settings"))?;
    let problem = |problem: String| KafkaError::Topic {
        topic: settings.topic.clone(),
        problem,
    };
    let topic = described
        .into_iter()
        .next()
        .ok_or_else(|| problem("its settings are not told".to_owned()))?
        .map_err(|code| problem(format!("its settings are not told: {code}")))?;
    let millis = topic
        .get("retention.ms")
        .and_then(|entry| entry.value.as_deref()?.parse::<i64>().ok())
        .ok_or_else(|| problem("its retention.ms is not told".to_owned()))?;
    // Kafka has -1 for ever.
    Ok(u64::try_from(millis).ok().map(Duration::from_millis))
}

//! The topics: which there are, how they are made, and whether they are there.

mod retention;

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::metadata::Metadata;

pub use self::retention::retention;
use crate::client::{Context, Role};
use crate::error::KafkaError;
use crate::link::Link;
use crate::settings::KafkaSettings;

/// How long a broker may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait for an answer before looking for trouble.
const TURN: Duration = Duration::from_millis(500);
/// Time between two looks for a topic that was just created.
const LOOK: Duration = Duration::from_millis(50);
/// More callbacks than can wait to be served after a turn.
const WAITING_CALLBACKS: usize = 20;

/// Size of the largest dead letter: twice what Kafka takes by default, because it is the message
/// and why it was put aside.
const LARGEST_DEAD_LETTER: &str = "2097152";

/// How to make the topics.
#[derive(Clone, Debug)]
pub struct TopicOptions {
    /// Partitions of the topic of check events.
    pub partitions: i32,
    /// Copies of each partition; `None` leaves it to the cluster.
    pub replication: Option<i32>,
    /// How long check events are kept.
    pub retention: Duration,
    /// How long dead letters are kept.
    pub dead_letter_retention: Duration,
}

/// What became of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It was made.
    Created(String),
    /// It was there already, and was left as it is.
    Existed(String),
}

/// A topic as the cluster has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicState {
    /// Its name.
    pub name: String,
    /// How many partitions it has.
    pub partitions: usize,
    /// Copies of each partition.
    pub replication: usize,
}

/// Creates the topic of check events and that of dead letters, unless they exist, and waits until the
/// brokers know of them.
pub async fn create(
    settings: &KafkaSettings,
    options: &TopicOptions,
) -> Result<Vec<Creation>, KafkaError> {
    check_connection(settings).await?;
    let (dead_letters, retention, dlq_retention) = (
        settings.dead_letter_topic(),
        options.retention.as_millis().to_string(),
        options.dead_letter_retention.as_millis().to_string(),
    );
    // To a broker, -1 means its own default.
    let copies = options.replication.unwrap_or(-1);
    let topics = [
        NewTopic::new(
            &settings.topic,
            options.partitions,
            TopicReplication::Fixed(copies),
        )
        .set("cleanup.policy", "delete")
        .set("retention.ms", &retention),
        NewTopic::new(&dead_letters, 1, TopicReplication::Fixed(copies))
            .set("cleanup.policy", "delete")
            .set("retention.ms", &dlq_retention)
            .set("max.message.bytes", LARGEST_DEAD_LETTER),
    ];
    let admin: AdminClient<_> = admin_config(settings)
        .create()
        .map_err(KafkaError::doing("cannot make a Kafka admin client"))?;
    let results = admin
        .create_topics(
            &topics,
            &AdminOptions::new().operation_timeout(Some(TIMEOUT)),
        )
        .await
        .map_err(KafkaError::doing("cannot create topics"))?;
    let creations: Result<Vec<_>, _> = results.into_iter().map(created).collect();
    if creations.is_ok() {
        become_known(settings).await;
    }
    creations
}

/// Waits until the brokers tell of topics that were just created, of which they learn a moment later.
/// When that takes long, whoever asks next is told.
async fn become_known(settings: &KafkaSettings) {
    let known = async {
        while let Err(KafkaError::MissingTopic { .. }) = check(settings).await {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(TIMEOUT, known).await.ok();
}

fn created(result: Result<String, (String, RDKafkaErrorCode)>) -> Result<Creation, KafkaError> {
    match result {
        Ok(topic) => Ok(Creation::Created(topic)),
        Err((topic, RDKafkaErrorCode::TopicAlreadyExists)) => Ok(Creation::Existed(topic)),
        Err((topic, code)) => Err(KafkaError::Topic {
            topic,
            problem: format!("cannot be created: {code}"),
        }),
    }
}

/// The topic of check events and that of dead letters as they are; an error names the first that
/// is missing.
pub async fn check(settings: &KafkaSettings) -> Result<Vec<TopicState>, KafkaError> {
    let mut states = Vec::new();
    for topic in [settings.topic.clone(), settings.dead_letter_topic()] {
        states.push(state(settings, topic).await?);
    }
    Ok(states)
}

/// Whether the topic of check events can be used; the error says what to do.
pub async fn check_events_topic(settings: &KafkaSettings) -> Result<TopicState, KafkaError> {
    state(settings, settings.topic.clone()).await
}

async fn state(settings: &KafkaSettings, topic: String) -> Result<TopicState, KafkaError> {
    blocking(settings, move |client, settings| {
        let metadata = metadata(client, settings, &topic)?;
        let missing = || KafkaError::MissingTopic {
            topic: topic.clone(),
            brokers: settings.brokers(),
        };
        let found = metadata.topics().first().ok_or_else(missing)?;
        match found.error().map(RDKafkaErrorCode::from) {
            None => Ok(TopicState {
                name: topic.clone(),
                partitions: found.partitions().len(),
                replication: found.partitions().first().map_or(0, |p| p.replicas().len()),
            }),
            Some(RDKafkaErrorCode::UnknownTopicOrPartition) => Err(missing()),
            Some(code) => Err(KafkaError::Topic {
                topic: topic.clone(),
                problem: code.to_string(),
            }),
        }
    })
    .await
}

/// Whether any broker can be talked to; the error says why not.
async fn check_connection(settings: &KafkaSettings) -> Result<(), KafkaError> {
    blocking(settings, |client, settings| {
        metadata(client, settings, &settings.topic).map(drop)
    })
    .await
}

type Client = BaseConsumer<Context<Question>>;

/// Runs a question to the cluster off the async threads: metadata calls block.
async fn blocking<T: Send + 'static>(
    settings: &KafkaSettings,
    ask: impl FnOnce(&Client, &KafkaSettings) -> Result<T, KafkaError> + Send + 'static,
) -> Result<T, KafkaError> {
    let settings = settings.clone();
    let asked = tokio::task::spawn_blocking(move || {
        let client: Client = admin_config(&settings)
            .create_with_context(Context::new(Question))
            .map_err(KafkaError::doing("cannot make a Kafka client"))?;
        ask(&client, &settings)
    });
    asked
        .await
        .unwrap_or_else(|panic| Err(KafkaError::Fatal(panic.to_string())))
}

fn admin_config(settings: &KafkaSettings) -> ClientConfig {
    settings.client_config("admin")
}

/// Asks in short turns, so that an outage is told as soon as the client knows of it.
fn metadata(
    client: &Client,
    settings: &KafkaSettings,
    topic: &str,
) -> Result<Metadata, KafkaError> {
    let started = Instant::now();
    loop {
        let error = match client.client().fetch_metadata(Some(topic), TURN) {
            Ok(metadata) => return Ok(metadata),
            Err(error) => error,
        };
        let reason = outage(client);
        if reason.is_some() || started.elapsed() >= TIMEOUT {
            return Err(KafkaError::Unreachable {
                brokers: settings.brokers(),
                reason: reason.unwrap_or_else(|| error.to_string()),
            });
        }
    }
}

/// Why no broker can be talked to, such as that they refuse our certificate. Each poll serves one
/// of the callbacks that tell it.
fn outage(client: &Client) -> Option<String> {
    (0..WAITING_CALLBACKS).find_map(|_| {
        client.poll(Duration::ZERO);
        match client.context().link.current() {
            Link::Down(reason) => Some(reason),
            Link::Connecting | Link::Up => None,
        }
    })
}

/// The only role is to hear why a connection fails.
struct Question;

impl Role for Question {}

impl ConsumerContext for Context<Question> {}

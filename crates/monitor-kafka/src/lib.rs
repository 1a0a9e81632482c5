//! Kafka, as the monitor uses it. The only crate that knows rdkafka.
//!
//! - [`KafkaSettings`]: the environment, and the client configuration that follows from it.
//! - [`Producer`]: sends events and reports what became of each.
//! - [`Consumer`]: reads a topic on a thread of its own and hands over bounded chunks.
//! - [`DeadLetters`]: puts messages that cannot be stored aside, confirmed; [`dead_letters`] reads
//!   and replays them.
//! - [`Certificates`]: tells when those of the settings have been replaced on disk.
//! - [`topics`]: creates and checks the topics.
//!
//! Clients tell how their connection is doing through a [`Link`].

mod certificates;
mod client;
mod consumer;
pub mod dead_letters;
mod error;
mod headers;
mod link;
mod producer;
mod read;
mod security;
mod settings;
pub mod topics;

pub use certificates::Certificates;
pub use consumer::{
    Begin, Chunk, Consumer, ConsumerOptions, Extent, Lag, Position, Progress, Rebalances, Received,
    Rewound, Ticket, Waiting,
};
pub use dead_letters::{DeadLetter, DeadLetters, Stage};
pub use error::KafkaError;
pub use link::Link;
pub use producer::{Deliveries, Delivery, Outgoing, Producer, Refused};
pub use settings::{KafkaSettings, SecurityProtocol};

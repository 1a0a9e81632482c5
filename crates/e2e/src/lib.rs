//! What the end-to-end tests stand on: a world of one's own per test (a database, a topic, a
//! consumer group), the real binaries in it, and targets for them to check.
//!
//! The tests need a PostgreSQL and an Apache Kafka, which `cargo xtask test` starts for them. Tests
//! that stop a broker or a database start their own.

mod service;
mod target;
mod wait;
mod world;

pub use service::{Binary, Finished, Service, run};
pub use target::{Answer, Target};
pub use wait::{DEADLINE, eventually};
pub use world::{Row, World};

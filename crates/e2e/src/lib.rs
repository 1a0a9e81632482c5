//! What the end-to-end tests stand on: a world of one's own per test (a database, a topic, a
//! consumer group), the real binaries in it, and targets for them to check.
//!
//! [`judge`] says whether what must hold does, whatever happened.
//!
//! The tests need a PostgreSQL and an Apache Kafka, which `cargo xtask test` starts for them. Tests
//! that stop a broker or a database start their own.

mod broker;
mod client;
mod freeze;
pub mod judge;
mod keys;
pub mod mix;
pub mod raw;
pub mod scene;
mod service;
mod target;
pub mod topic;
mod wait;
mod world;

pub use broker::{Broker, Line};
pub use client::{Api, Client, Connection, Reply};
pub use freeze::{Frozen, FrozenThread, freeze, freeze_thread};
pub use keys::Keys;
pub use service::{Binary, Finished, Service, Signal, run};
pub use target::{Answer, Target};
pub use wait::{DEADLINE, eventually};
pub use world::{Row, World, program};

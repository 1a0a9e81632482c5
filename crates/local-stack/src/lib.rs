//! PostgreSQL and Apache Kafka as child processes of ours, without Docker.
//!
//! Used by `cargo xtask up | stack | test` and by the end-to-end tests. Every service runs in the
//! foreground in a process group of its own, on free loopback ports, writes to a log file, and
//! stops when its handle is stopped or dropped. On Linux it also stops when this process is killed.
//!
//! Nothing here knows the monitor: it is the ground that the monitor stands on.

mod both;
mod control;
mod home;
mod kafka;
mod log;
mod path;
mod ports;
mod postgres;
mod process;
mod stack_lock;
mod user;

pub use both::start_both;
pub use control::Control;
pub use kafka::{Kafka, KafkaMember, KafkaOptions, KafkaTls, jars, java};
pub use log::Log;
pub use path::{find_executable, find_service};
pub use ports::ReservedPort;
pub use postgres::{Binaries, Durability, Postgres, PostgresOptions, PostgresTls};
pub use process::{Process, Program, Signal, StopStep};
pub use stack_lock::StackLock;

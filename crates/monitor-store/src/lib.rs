//! PostgreSQL, as the monitor uses it. The only crate that knows sqlx.
//!
//! - [`DatabaseSettings`]: the environment, and connections made from it.
//! - [`migrate`] and [`schema`]: bringing the schema to a version, and making sure of it.
//! - [`sites`]: what is monitored.
//! - [`checks`]: storing events, each once, with the state of their sites.
//! - [`feed`]: following what is stored.
//! - [`progress`]: how far a consumer group has come.
//! - [`partitions`]: the days of the table of checks.
//! - [`rollups`]: what the checks of an hour and of a day came to.
//! - [`maintenance`]: what one sink does for all from time to time.
//! - [`MetricDataProvider`]: asking about what is stored.
//!
//! Functions take the connection or pool first, so that the caller owns the transaction. SQL is
//! checked against the schema at compile time.

pub mod checks;
mod copy_data;
mod error;
pub mod feed;
pub mod maintenance;
mod metrics;
pub mod partitions;
pub mod progress;
mod region_states;
pub mod rollups;
pub mod schema;
mod settings;
pub mod sites;
mod stored_checks;
mod transaction;

pub use checks::{CheckWriter, Inserted};
pub use error::{ErrorClass, StoreError};
pub use metrics::MetricDataProvider;
pub use progress::Progress;
pub use schema::{MIGRATOR, MigrationReport, migrate};
pub use settings::DatabaseSettings;
pub use sites::{ImportPlan, InvalidSite, StoredSite};
pub use sqlx::postgres::{PgConnection, PgPool as Pool};

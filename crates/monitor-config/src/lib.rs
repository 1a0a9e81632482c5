//! From the environment to typed settings, with every problem reported at once.
//!
//! A concern (the broker, the database, one service) is a [`Section`]: a struct that serde can
//! deserialise, and a `const` table of [`Variable`]s. The table is the only place where names,
//! defaults and explanations live; the struct has the types. A binary reads what it needs in one
//! go:
//!
//! ```
//! use monitor_config::{Environment, Section, Variable};
//! use serde::Deserialize;
//! use std::time::Duration;
//!
//! #[derive(Debug, Deserialize)]
//! struct SinkSettings {
//!     group: String,
//!     #[serde(deserialize_with = "monitor_config::duration")]
//!     batch_max_wait: Duration,
//! }
//!
//! impl Section for SinkSettings {
//!     const PREFIX: &'static str = "SINK_";
//!     const VARIABLES: &'static [Variable] = &[
//!         Variable::with_default("SINK_GROUP", "monitor-sink", "consumer group"),
//!         Variable::with_default("SINK_BATCH_MAX_WAIT", "200ms", "longest wait for a batch to fill"),
//!     ];
//! }
//!
//! let environment = Environment::from_pairs([("SINK_BATCH_MAX_WAIT", "1s")]);
//! let (sink,) = environment.load::<(SinkSettings,)>()?;
//! assert_eq!(sink.group, "monitor-sink");
//! assert_eq!(sink.batch_max_wait, Duration::from_secs(1));
//! # Ok::<(), monitor_config::ConfigError>(())
//! ```
//!
//! What [`Environment::load`] promises:
//!
//! - a variable that is absent, or set to nothing (`X=`), takes the default of its table;
//! - missing, malformed, misspelt and contradictory variables of all sections are named together;
//! - the value of a secret appears in no message, and no [`Secret`] in `Debug`.
//!
//! Files that settings name may be replaced while a program runs: a [`FileStamp`] tells.
//!
//! The crate knows no section of its own: each lives beside the code that it configures.

mod check;
mod dotenv;
mod environment;
mod files;
mod loader;
mod problem;
mod secret;
mod section;
mod shape;
mod text;
mod unknown;
mod values;
mod variable;

pub use check::{table_mistakes, template_mistakes};
pub use environment::Environment;
pub use files::{FileStamp, files_in};
pub use problem::{ConfigError, Problem};
pub use secret::Secret;
pub use section::{Section, Sections, tables};
pub use text::{help_text, template};
pub use values::{bytes, duration, list, retention, socket_address};
pub use variable::{Fallback, Variable};

//! The HTTP API of the monitor: what is stored, for people, dashboards and scripts.
//!
//! It reads PostgreSQL through `monitor-store`, changes nothing there but sites, and knows no Kafka.
//! A handler says in its parameters what it takes and who may call it (`auth`), asks one question
//! of the store, and answers with a type of `wire`; `openapi` is made of these signatures.
//! Whatever goes wrong is a `problem`.

mod answer;
mod auth;
mod badge;
mod config;
mod dashboard;
mod described;
mod etag;
mod events;
mod extract;
mod layers;
mod openapi;
mod overview;
mod page;
mod problem;
mod prometheus;
mod routes;
mod run;
mod server;
mod state;
mod status;
mod wire;

pub use config::ApiSettings;
pub use openapi::document;
pub use run::run;

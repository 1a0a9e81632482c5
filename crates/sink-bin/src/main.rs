//! `sink`: stores the check events of Kafka in PostgreSQL, each exactly once.

mod batch;
mod config;
mod maintenance;
mod pipeline;
mod retention;
mod run;
mod settle;
mod writer;

use std::process::ExitCode;

use monitor_runtime::{Service, service_main};

fn main() -> ExitCode {
    let about = "Stores the check events of Kafka in PostgreSQL, each exactly once.";
    service_main(
        &Service::new("sink", env!("CARGO_PKG_VERSION"), about),
        run::run,
    )
}

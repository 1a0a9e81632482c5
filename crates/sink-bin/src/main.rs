//! `sink`: stores the check events of Kafka in PostgreSQL, each exactly once.

mod backlog;
mod batch;
mod begin;
mod breaker;
mod config;
mod letters;
mod maintenance;
mod observe;
mod pipeline;
mod portion;
mod retention;
mod run;
mod session;
mod settle;
mod start;
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

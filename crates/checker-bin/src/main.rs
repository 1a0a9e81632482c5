//! `checker`: checks every site in its slots and publishes each result to Kafka.

#[cfg(test)]
mod accounting;
mod backlog;
mod checks;
mod compact;
mod config;
mod delivery;
mod disk;
mod drops;
mod in_flight;
mod ledger;
mod maker;
mod meters;
mod outbox;
mod parcel;
mod revocation;
mod run;
mod schedule;
mod sites;
mod storage;
mod suspicion;

use std::process::ExitCode;

use monitor_runtime::{Service, service_main};

fn main() -> ExitCode {
    let about = "Checks every site at its own interval and publishes each result to Kafka.";
    service_main(
        &Service::new("checker", env!("CARGO_PKG_VERSION"), about),
        run::run,
    )
}

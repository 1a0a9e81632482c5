//! `api`: metrics, sites and live checks over HTTP.

use std::process::ExitCode;

use monitor_runtime::{Service, service_main};

fn main() -> ExitCode {
    let about = "Answers over HTTP: metrics, sites, checks as they are stored.";
    service_main(
        &Service::new("api", env!("CARGO_PKG_VERSION"), about),
        api::run,
    )
}

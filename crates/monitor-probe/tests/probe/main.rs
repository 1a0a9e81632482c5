//! Checks of real servers: scripted ones that misbehave as told, and packaged ones.
#![expect(
    clippy::unwrap_used,
    reason = "outside of its test functions, a test's code may stop it too"
)]

mod addresses;
mod anything;
mod bodies;
mod certificates;
mod connections;
mod descriptors;
mod failures;
mod hostile;
mod namespace;
mod packaged;
mod redirects;
mod revocation;
mod secrets;
mod site;
mod verdicts;
mod versions;

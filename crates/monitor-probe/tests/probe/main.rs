//! Checks of real servers: scripted ones that misbehave as told, and packaged ones.
#![expect(
    clippy::unwrap_used,
    reason = "outside of its test functions, a test's code may stop it too"
)]

mod failures;
mod namespace;
mod site;

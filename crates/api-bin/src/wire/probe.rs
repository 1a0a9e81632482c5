//! What a check that was made at once came to.

use chrono::{DateTime, Utc};
use monitor_core::event::{ContentMatch, HttpFacts, Timings, TlsFacts, Warning};
use monitor_core::{Failure, Outcome};
use monitor_probe::Report;
use schemars::JsonSchema;
use serde::Serialize;

/// What one check came to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Probe {
    /// When it began.
    started_at: DateTime<Utc>,
    /// How it ended.
    outcome: Outcome,
    /// Why it was not a success.
    failure: Option<Failure>,
    /// What calls for attention although it succeeded.
    warnings: Vec<Warning>,
    /// The last response's status code.
    status_code: Option<u16>,
    /// What became of the content rules.
    content: ContentMatch,
    /// How long the phases of the last hop took, in microseconds.
    timings_us: Timings,
    /// How often it was tried.
    attempts: u16,
    /// Facts about the HTTP exchange.
    http: Option<HttpFacts>,
    /// Facts about the TLS session and certificate, also when verification failed.
    tls: Option<TlsFacts>,
}

impl Probe {
    pub(crate) fn new(started_at: DateTime<Utc>, report: Report) -> Self {
        let Report {
            outcome,
            failure,
            warnings,
            status_code,
            content,
            timings_us,
            attempts,
            http,
            tls,
        } = report;
        Self {
            started_at,
            outcome,
            failure,
            warnings,
            status_code,
            content,
            timings_us,
            attempts,
            http,
            tls,
        }
    }
}

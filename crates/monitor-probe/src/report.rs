//! What a check came to.

use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::event::{
    CheckEvent, ContentMatch, HttpFacts, SCHEMA, Timings, TlsFacts, Warning,
};
use monitor_core::{Failure, Outcome, SiteConfig, Slot};

use crate::failure::Failed;
use crate::observation::{Observation, micros};

/// What a check came to: all that an event says but for whose slot it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// `up`, `degraded`, `down` or `error`.
    pub outcome: Outcome,
    /// Why it is not a success.
    pub failure: Option<Failure>,
    /// Why it is degraded.
    pub warnings: Vec<Warning>,
    /// The last status code that was seen.
    pub status_code: Option<u16>,
    /// What became of the content rules.
    pub content: ContentMatch,
    /// How long the phases took.
    pub timings_us: Timings,
    /// How often the site was tried.
    pub attempts: u16,
    /// Facts about HTTP.
    pub http: Option<HttpFacts>,
    /// Facts about TLS, also when the certificate was refused.
    pub tls: Option<TlsFacts>,
}

impl Report {
    pub(crate) fn new(
        site: &SiteConfig,
        mut seen: Observation,
        failed: Option<Failed>,
        attempts: u16,
        now: DateTime<Utc>,
    ) -> Self {
        let (http, tls) = (seen.http(), seen.tls());
        let warnings = match failed {
            None => warnings(site, &seen.timings, tls.as_ref(), now),
            Some(_) => Vec::new(),
        };
        let outcome = match &failed {
            Some(failed) => failed.kind.fault().outcome(),
            None if warnings.is_empty() => Outcome::Up,
            None => Outcome::Degraded,
        };
        Self {
            outcome,
            failure: failed.map(Failure::from),
            warnings,
            status_code: seen.status_code,
            content: seen.content,
            timings_us: seen.timings,
            attempts,
            http,
            tls,
        }
    }

    /// The event that tells this as the result of `slot`.
    #[must_use]
    pub fn into_event(self, slot: &Slot, checker: &str, started_at: DateTime<Utc>) -> CheckEvent {
        let mut tls = self.tls;
        if let Some(tls) = tls.as_mut().filter(|_| self.outcome == Outcome::Up) {
            // Most of an event, and of no interest while all is well.
            tls.chain.clear();
        }
        CheckEvent {
            schema: SCHEMA.to_owned(),
            id: slot.check_id(),
            site_id: slot.site_id,
            region: slot.region.clone(),
            checker: checker.to_owned(),
            scheduled_at: slot.scheduled_at,
            started_at: Some(started_at),
            outcome: self.outcome,
            failure: self.failure,
            warnings: self.warnings,
            suspect: false,
            status_code: self.status_code,
            content: self.content,
            timings_us: self.timings_us,
            attempts: self.attempts,
            http: self.http,
            tls,
        }
    }
}

fn warnings(
    site: &SiteConfig,
    timings: &Timings,
    tls: Option<&TlsFacts>,
    now: DateTime<Utc>,
) -> Vec<Warning> {
    let slow = site
        .max_response_time
        .is_some_and(|most| timings.total > Some(micros(most)));
    let horizon = TimeDelta::from_std(site.cert_expiry_warning).unwrap_or(TimeDelta::MAX);
    let end = tls.and_then(|tls| tls.not_after);
    let expires_soon = end.is_some_and(|end| end - now < horizon);
    let found = [
        (slow, Warning::SlowResponse),
        (expires_soon, Warning::CertExpiresSoon),
    ];
    found
        .into_iter()
        .filter_map(|(holds, warning)| holds.then_some(warning))
        .collect()
}

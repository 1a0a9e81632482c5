//! What is kept of an event: the one place that says so.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{CheckEvent, ContentMatch, DecodeError, HttpFacts, Text, Timings, TlsFacts, Warning};
use crate::failure::{Failure, Outcome};
use crate::region::Region;
use crate::site::SiteId;

/// An event as it is stored; its fields are those of [`CheckEvent`], unless they say otherwise.
///
/// It is read from the same bytes by the same rules as the whole event, but its texts stay in these
/// bytes, and what is not stored is forgotten as soon as it has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are those of the event")]
pub struct KeptEvent<'a> {
    pub id: Uuid,
    pub site_id: SiteId,
    pub region: Region<Text<'a>>,
    pub checker: Text<'a>,
    pub scheduled_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub outcome: Outcome,
    pub failure: Option<Failure<Text<'a>>>,
    pub warnings: Vec<Warning>,
    pub suspect: bool,
    pub status_code: Option<u16>,
    pub content: ContentMatch,
    pub timings_us: Timings,
    pub attempts: u16,
    /// When the certificate of the site ends.
    pub cert_not_after: Option<DateTime<Utc>>,
    /// The facts of a check that was not simply up. Those of the others hardly ever differ, and
    /// would be most of what is stored.
    pub evidence: Option<Box<Evidence<Text<'a>>>>,
}

/// Facts about a check, which tell why it ended as it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "T: Default + Deserialize<'de>"))]
pub struct Evidence<T = String> {
    /// About the HTTP exchange.
    #[serde(default)]
    pub http: Option<HttpFacts<T>>,
    /// About the TLS session and the certificate.
    #[serde(default)]
    pub tls: Option<TlsFacts<T>>,
}

impl<'a> KeptEvent<'a> {
    /// Reads an event, as [`CheckEvent::decode`] does, and keeps what is stored of it.
    pub fn decode(json: &'a [u8]) -> Result<Self, DecodeError> {
        super::decode::decode(json).map(Self::from)
    }
}

impl<'a> From<CheckEvent<Text<'a>>> for KeptEvent<'a> {
    fn from(event: CheckEvent<Text<'a>>) -> Self {
        let (http, tls) = (event.http, event.tls);
        let cert_not_after = tls.as_ref().and_then(|tls| tls.not_after);
        let telling = event.outcome != Outcome::Up && (http.is_some() || tls.is_some());
        Self {
            id: event.id,
            site_id: event.site_id,
            region: event.region,
            checker: event.checker,
            scheduled_at: event.scheduled_at,
            started_at: event.started_at,
            outcome: event.outcome,
            failure: event.failure,
            warnings: event.warnings,
            suspect: event.suspect,
            status_code: event.status_code,
            content: event.content,
            timings_us: event.timings_us,
            attempts: event.attempts,
            cert_not_after,
            evidence: telling.then(|| Box::new(Evidence { http, tls })),
        }
    }
}

//! A check as it is stored.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::event::{ContentMatch, HttpFacts, Timings, TlsFacts, Warning, instant};
use crate::failure::{Failure, Outcome};
use crate::region::Region;
use crate::site::SiteId;

/// How one slot of a site ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StoredCheck {
    /// UUID v5 of site, region and instant: the same slot always has the same id.
    pub id: Uuid,
    /// The site that was checked.
    pub site_id: SiteId,
    /// Where it was checked from.
    pub region: Region,
    /// Which checker did it.
    pub checker: String,
    /// The slot: when the check was due.
    #[serde(with = "instant")]
    #[schemars(with = "DateTime<Utc>")]
    pub scheduled_at: DateTime<Utc>,
    /// When the check really began; `null` when it was missed.
    #[serde(with = "instant::option")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub started_at: Option<DateTime<Utc>>,
    /// How the slot ended.
    pub outcome: Outcome,
    /// Why it was not a success; `null` for `up` and `degraded`.
    pub failure: Option<Failure>,
    /// What calls for attention although the check succeeded.
    pub warnings: Vec<Warning>,
    /// Whether most sites of the checker had begun to fail at once: then its own network is the
    /// likelier cause.
    pub suspect: bool,
    /// The last response's status code, wherever one was seen, also in failures.
    #[schemars(range(min = 100, max = 999))]
    pub status_code: Option<u16>,
    /// What became of the site's content rules.
    pub content: ContentMatch,
    /// How long the phases of the last hop took, in microseconds.
    pub timings_us: Timings,
    /// How often the site was tried for this slot; 0 when it was missed.
    pub attempts: u16,
    /// Facts about the HTTP exchange of a check that was not simply up.
    pub http: Option<HttpFacts>,
    /// Facts about its TLS session and certificate.
    pub tls: Option<TlsFacts>,
}

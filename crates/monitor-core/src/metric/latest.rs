//! What was seen last.

use chrono::{DateTime, Utc};

use super::state::SiteState;
use crate::event::{ContentMatch, Timings};
use crate::failure::{FailureKind, Outcome};
use crate::region::Region;
use crate::site::SiteId;

/// The latest check of a site in one region, with what names both to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatestCheck {
    /// The site.
    pub site: SiteId,
    /// Its name.
    pub name: String,
    /// Where its requests go, without query.
    pub url: String,
    /// Where it was checked from.
    pub region: Region,
    /// The slot.
    pub scheduled_at: DateTime<Utc>,
    /// How it ended.
    pub outcome: Outcome,
    /// How the site is there: as the latest check says that tells something about it.
    pub state: SiteState,
    /// Why it was not a success.
    pub failure_kind: Option<FailureKind>,
    /// The last status code that it saw.
    pub status_code: Option<u16>,
    /// What became of the content rules; `None` when the check itself is not stored any more.
    pub content: Option<ContentMatch>,
    /// How long its phases took, in microseconds.
    pub timings_us: Timings,
    /// When the certificate ends that was seen last.
    pub cert_not_after: Option<DateTime<Utc>>,
}

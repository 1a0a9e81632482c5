//! Certificates and their ends.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::region::Region;
use crate::site::SiteId;

/// When the certificate ends that a site showed last, in one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CertificateEnd {
    /// The site.
    #[serde(rename = "site_id")]
    pub site: SiteId,
    /// Its name.
    pub name: String,
    /// Where the certificate was seen from.
    pub region: Region,
    /// When it ends, or has ended.
    pub not_after: DateTime<Utc>,
    /// The slot in which it was seen.
    pub seen_at: DateTime<Utc>,
}

//! Whose checks a question is about.

use crate::region::Region;
use crate::site::SiteId;

/// Which sites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sites {
    /// One, also when it is not monitored any more.
    One(SiteId),
    /// Those that have this tag now.
    Tagged(String),
    /// All that were ever checked, also those that are not monitored any more.
    All,
}

/// Which sites, as checked from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Which sites.
    pub sites: Sites,
    /// From which region; `None` is from all.
    pub region: Option<Region>,
}

impl Subject {
    /// These sites, from all regions.
    #[must_use]
    pub fn of(sites: Sites) -> Self {
        Self {
            sites,
            region: None,
        }
    }

    /// The same sites, as checked from one region.
    #[must_use]
    pub fn from(self, region: Region) -> Self {
        Self {
            region: Some(region),
            ..self
        }
    }
}

//! What can be asked about stored checks, and the shape of the answers.
//!
//! - [`CheckFilter`] and [`PageRequest`]: single checks, each a [`StoredCheck`], a [`Page`] at a time.
//! - [`Subject`], [`TimeRange`] and [`Step`]: what many checks came to, as one [`Summary`] or as one
//!   for each of the [`Buckets`] of the range.
//! - [`OutageRequest`]: when sites were down, as [`Outages`].
//! - [`OverviewWindow`]: how all sites are, as an [`Overview`].
//! - [`Timelines`]: how the checks of some sites ended over such a window, step by step.
//! - [`SiteState`]: how a site is now, with its regions in a [`Judgement`].
//! - [`CertificateEnd`]: what is about to expire.
//! - [`LatestCheck`]: what was seen last.

mod buckets;
mod certificate;
mod check;
mod latest;
mod outage;
mod overview;
mod page;
mod range;
#[cfg(test)]
mod schema_tests;
mod state;
mod step;
mod stored_check;
mod subject;
mod summary;
mod timeline;

pub use self::buckets::{Buckets, MAX_BUCKETS, TooManyBuckets};
pub use self::certificate::CertificateEnd;
pub use self::check::{CheckFilter, ContentResult, OutcomeFilter, ResponseTime, StatusCode};
pub use self::latest::LatestCheck;
pub use self::outage::{
    Cause, Outage, OutageCursor, OutageRequest, Outages, Precision, RegionOutage, RegionalOutage,
    merge as merge_outages,
};
pub use self::overview::{
    FleetOverview, InvalidWindow, Overview, OverviewWindow, RegionOverview, SiteOverview,
    StateCounts,
};
pub use self::page::{Cursor, Order, Page, PageRequest};
pub use self::range::{InvalidRange, TimeRange};
pub use self::state::{Judgement, RegionState, SiteState, state as site_state};
pub use self::step::{InvalidStep, Step, Tz};
pub use self::stored_check::StoredCheck;
pub use self::subject::{Sites, Subject};
pub use self::summary::{
    ContentCounts, DailyOutcomes, OutcomeCounts, PhaseDurations, Statistics, Summary,
};
pub use self::timeline::{SiteTimeline, Timelines, steps as timeline_steps};

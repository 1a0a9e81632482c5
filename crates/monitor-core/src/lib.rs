//! The language of the monitor: sites, slots, outcomes, check events and metric queries.
//!
//! Everything here is pure: no I/O, no async, no clock, no randomness. What needs the current time
//! takes it as an argument. Values are validated where they enter (a site's fields, an event's
//! bytes), so that inside the system they cannot be wrong.
//!
//! ```text
//! SiteConfig ── Schedule (slots) ──▶ SlotId ── a check ──▶ CheckEvent ──▶ metrics
//! ```

pub mod event;
pub mod failure;
pub mod histogram;
pub mod metric;
pub mod region;
pub mod site;
pub mod slot;

pub use event::CheckEvent;
pub use failure::{Failure, FailureKind, Outcome, Phase};
pub use histogram::Histogram;
pub use region::Region;
pub use site::{Site, SiteConfig, SiteId};
pub use slot::{Slot, Slots};

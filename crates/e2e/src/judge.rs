//! What must hold once faults have stopped, whatever they were.
//!
//! The judge knows nothing of how the services work. It compares what went in (the sites, the slots
//! that they have, the events in the topic) with what came out (the rows).

mod bounds;
mod canary;
mod events;
mod rollups;
mod secrets;
mod slots;
mod spooled;
mod topic;

pub use bounds::{Footprint, footprint};
pub use canary::{PATIENCE, canary};
pub use events::{Account, Kept, every_event_is_one_row, no_row_exists_twice};
pub use rollups::rollups_are_right;
pub use secrets::no_secret;
pub use slots::every_slot_has_a_row;
pub use spooled::spooled;
pub use topic::{Message, messages};

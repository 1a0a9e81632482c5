//! What the checks of each hour and each day came to, per site and region.
//!
//! Rollups are derived from the stored checks, and from nothing else: an hour is computed as a whole
//! when it is over ([`close_hours`]), again when checks of it come late ([`work_off_marks`]), and
//! whenever somebody asks for it ([`plan_rebuild`]), always by the same code. A day is the sum of its
//! hours. They outlive the checks: of days whose checks were dropped they are never computed again.
//!
//! All of this is for one at a time: see [`maintenance`](crate::maintenance).

mod close;
mod compact;
mod days;
mod hours;
mod keys;
mod marks;
mod packed;
mod progress;
mod raw;
mod rebuild;
mod retention;
mod rollup;
mod row;
mod write;

pub use self::close::{SETTLING, close_days, close_hours};
pub use self::marks::work_off_marks;
pub use self::progress::{Progress, progress};
pub use self::rebuild::{Rebuild, plan_rebuild};
pub use self::retention::{delete_before, drop_checks_before};
pub use self::rollup::{Durations, PHASES, Rollup};

pub(crate) use self::compact::CompactRollup;
pub(crate) use self::days::begin;
pub(crate) use self::keys::{Keys, Series};
pub(crate) use self::packed::{Checks, checks};
pub(crate) use self::row::{RollupRow, rollup_rows};

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Checks that were read.
    pub checks: u64,
    /// Rows of hours that were written.
    pub hours: u64,
    /// Rows of days that were written.
    pub days: u64,
    /// Hours that were closed.
    pub closed_hours: u64,
    /// Days that were closed.
    pub closed_days: u64,
    /// Marks that were worked off.
    pub marks: u64,
    /// Marks that were taken away because what they are about is final.
    pub ignored_marks: u64,
    /// Whether there was more to do than was allowed at a time.
    pub more: bool,
}

impl std::ops::AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.checks += other.checks;
        self.hours += other.hours;
        self.days += other.days;
        self.closed_hours += other.closed_hours;
        self.closed_days += other.closed_days;
        self.marks += other.marks;
        self.ignored_marks += other.ignored_marks;
        self.more |= other.more;
    }
}

//! Records on disk until somebody else has them: a bounded queue in one file that survives a crash.
//!
//! Records are opaque bytes under sequence numbers. [`Spool::commit`] appends and deletes many of
//! them, and moves a watermark, in one durable transaction: after it returns, a crash of the process
//! takes nothing of it back. What exceeds the [`Limits`] is dropped from the old end, and the
//! [`Gap`] that it leaves is counted.
//!
//! A file that cannot be understood is set aside under another name and a new one begun, at open and
//! later: trouble with the file is told, and never stops whoever uses it for good. After any other
//! error the spool is closed and has to be opened anew.

mod error;
mod file;
mod gap;
mod guard;
mod record;
mod spool;
mod tables;
mod transaction;

pub use error::SpoolError;
pub use file::SetAside;
pub use gap::Gap;
pub use record::Record;
pub use spool::{Changes, Depth, Dropped, Limits, Most, Opened, Spool};

//! What can go wrong with a spool.

use std::path::PathBuf;

/// Why a spool cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Another process uses the file.
    #[error("{} is in use by another process", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be understood. It has been set aside: the next open begins a new one.
    #[error("{} is corrupt ({why})", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// The file cannot be read or written: the disk is full, say. Its content is left as it is.
    #[error("cannot use {}: {why}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// An earlier error has closed the spool.
    #[error("{} has been closed by an earlier error", path.display())]
    Closed {
        /// The file.
        path: PathBuf,
    },
}

/// What an error of the database means for the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Locked,
    Corrupt(String),
    Unusable(String),
}

impl Verdict {
    pub(crate) fn of(error: &redb::Error) -> Self {
        use redb::Error::{
            Corrupted, DatabaseAlreadyOpen, Io, LockProtocolMismatch, RepairAborted,
            TableDoesNotExist, TableExists, TableIsMultimap, TableIsNotMultimap, TableTypeMismatch,
            TypeDefinitionChanged, UpgradeRequired,
        };
        let why = error.to_string();
        match error {
            DatabaseAlreadyOpen | LockProtocolMismatch => Self::Locked,
            Corrupted(_)
            | UpgradeRequired(_)
            | RepairAborted
            | TableTypeMismatch { .. }
            | TypeDefinitionChanged { .. }
            | TableIsMultimap(_)
            | TableIsNotMultimap(_)
            | TableExists(_)
            | TableDoesNotExist(_) => Self::Corrupt(why),
            Io(error) if says_corrupt(error.kind()) => Self::Corrupt(why),
            _ => Self::Unusable(why),
        }
    }
}

/// No database at all, or one that ends too early.
fn says_corrupt(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind::{InvalidData, UnexpectedEof};
    matches!(kind, InvalidData | UnexpectedEof)
}

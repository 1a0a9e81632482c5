//! The spool itself.

use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase as _};

use crate::error::SpoolError;
use crate::file::{self, SetAside};
use crate::gap::Gap;
use crate::guard::guarded;
use crate::record::Record;
use crate::tables::RECORDS;
use crate::transaction::{self, State};

/// A file that is smaller than this is never worth compacting.
const SMALL_FILE: u64 = 16 << 20;
/// How much larger than its content a file may be.
const WASTEFUL: u64 = 4;

/// How much a spool may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of all records together; the file may be twice as large.
    pub bytes: u64,
    /// Records.
    pub records: u64,
}

/// A spool, and what became of the file that was there before.
#[derive(Debug)]
pub struct Opened {
    /// The spool.
    pub spool: Spool,
    /// The damaged file, if there was one.
    pub set_aside: Option<SetAside>,
}

/// What one transaction changes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changes<'a> {
    /// New records in ascending order. One whose number was given before replaces that record if it
    /// is still there.
    pub append: &'a [Record],
    /// Numbers of the records to delete, in ascending order; one that is not there is none.
    pub delete: &'a [u64],
    /// Moves the watermark.
    pub watermark: Option<i64>,
}

/// What a transaction had to drop to keep the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// How many records.
    pub count: u64,
    /// Every record before this number is gone.
    pub before: u64,
}

/// How much is in a spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Records.
    pub records: u64,
    /// What they count for against the limit.
    pub bytes: u64,
    /// What the oldest one is about, in milliseconds since the epoch.
    pub oldest_at: Option<i64>,
}

/// Most to read at once. At least one record is read, whatever its size.
#[derive(Clone, Copy, Debug)]
pub struct Most {
    /// Records.
    pub records: usize,
    /// What they count for.
    pub bytes: u64,
}

/// Records on disk. One process has it at a time.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    limits: Limits,
    /// `None` once an error has closed it.
    database: Option<Database>,
    state: State,
}

impl Spool {
    /// Opens the file, makes it if it is missing, and gives room back if it is much larger than its
    /// content. Reads all of it once.
    pub fn open(path: &Path, limits: Limits) -> Result<Opened, SpoolError> {
        let (database, set_aside) = file::open(path)?;
        let mut spool = Self {
            path: path.to_owned(),
            limits,
            database: Some(database),
            state: State::default(),
        };
        spool.state = spool.with(|database| transaction::load(database))?;
        spool.compact_if_wasteful()?;
        Ok(Opened { spool, set_aside })
    }

    /// Applies all changes, or none of them, and returns once they are on disk.
    pub fn commit(&mut self, changes: &Changes<'_>) -> Result<Dropped, SpoolError> {
        let (limits, state) = (self.limits, self.state.clone());
        let commit =
            |database: &mut Database| transaction::commit(database, limits, state, changes);
        let (state, dropped) = self.with(commit)?;
        self.state = state;
        Ok(dropped)
    }

    /// The records from this number on, in order.
    pub fn read(&mut self, from: u64, most: Most) -> Result<Vec<Record>, SpoolError> {
        self.with(|database| {
            let records = database.begin_read()?.open_table(RECORDS)?;
            let (mut read, mut bytes) = (Vec::new(), 0);
            for entry in records.range(from..)? {
                let (sequence, value) = entry?;
                let record = Record::of(sequence.value(), value.value());
                bytes += record.size();
                if read.len() >= most.records || (bytes > most.bytes && !read.is_empty()) {
                    break;
                }
                read.push(record);
            }
            Ok(read)
        })
    }

    /// Those of these records that are there.
    pub fn get(&mut self, sequences: &[u64]) -> Result<Vec<Record>, SpoolError> {
        self.with(|database| {
            let records = database.begin_read()?.open_table(RECORDS)?;
            let mut read = Vec::new();
            for sequence in sequences {
                if let Some(value) = records.get(*sequence)? {
                    read.push(Record::of(*sequence, value.value()));
                }
            }
            Ok(read)
        })
    }

    /// Makes the file smaller if it is much larger than its content.
    pub fn compact_if_wasteful(&mut self) -> Result<(), SpoolError> {
        let length = self.file_bytes();
        if length < SMALL_FILE || length / WASTEFUL < self.state.depth.bytes {
            return Ok(());
        }
        self.with(|database| {
            database.compact()?;
            Ok(())
        })?;
        let now = self.file_bytes();
        tracing::info!(before = length, now, "compacted {}", self.path.display());
        Ok(())
    }

    /// How much is in it.
    #[must_use]
    pub fn depth(&self) -> Depth {
        self.state.depth
    }

    /// Size of the file.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        file::length(&self.path)
    }

    /// A number above those of all records that there ever were.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.state.next
    }

    /// The watermark, once there is one.
    #[must_use]
    pub fn watermark(&self) -> Option<i64> {
        self.state.watermark
    }

    /// The latest gaps, oldest first.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        &self.state.gaps
    }

    /// Does something with the database. An error closes it.
    fn with<T>(
        &mut self,
        operation: impl FnOnce(&mut Database) -> Result<T, redb::Error>,
    ) -> Result<T, SpoolError> {
        let Some(database) = &mut self.database else {
            let path = self.path.clone();
            return Err(SpoolError::Closed { path });
        };
        match guarded(|| operation(database)) {
            Ok(done) => Ok(done),
            Err(verdict) => {
                // Closed first, guarded too: it may trip over the same damage again.
                let database = self.database.take();
                guarded(|| {
                    drop(database);
                    Ok(())
                })
                .ok();
                Err(file::after_failure(&self.path, verdict))
            }
        }
    }
}

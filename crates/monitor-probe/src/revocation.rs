//! Certificate revocation lists from files, read again when the files change.
//!
//! No list is ever fetched, and no authority is ever asked: that would tell others what is
//! monitored, would count their slowness as that of a site, and would have to fail open all the same.

mod files;
mod list;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use monitor_config::FileStamp;

pub(crate) use self::list::List;

/// The lists of some files and folders. Clones share what they know.
#[derive(Clone, Debug, Default)]
pub struct RevocationLists(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    paths: Vec<PathBuf>,
    /// What the files were like when they were last read, also when they could not be used.
    stamp: Mutex<FileStamp>,
    known: RwLock<Arc<Known>>,
}

/// The lists as they were last read.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Counts how often they were read.
    pub(crate) generation: u64,
    /// Those that were made last come first.
    pub(crate) lists: Vec<List>,
}

/// Why revocation lists cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{} {problem}", file.display())]
pub struct RevocationListError {
    file: PathBuf,
    problem: String,
}

impl RevocationLists {
    /// Reads the lists, PEM or DER, of these files, and of all files in these folders.
    pub fn read(paths: &[PathBuf]) -> Result<Self, Vec<RevocationListError>> {
        let shared = Shared {
            paths: paths.to_vec(),
            stamp: Mutex::new(FileStamp::of(paths)),
            known: RwLock::new(Arc::new(Known::new(0, files::read(paths)?))),
        };
        Ok(Self(Arc::new(shared)))
    }

    /// Reads the lists again if a file has changed, and says whether one had. While they cannot be
    /// used, those that were read before are used on; each change is tried once.
    pub fn reread(&self) -> Result<bool, Vec<RevocationListError>> {
        let paths = &self.0.paths;
        let mut stamp = self.0.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken first, so that a change while reading is seen as one the next time.
        let present = FileStamp::of(paths);
        if *stamp == present {
            return Ok(false);
        }
        *stamp = present;
        let lists = files::read(paths)?;
        let mut known = self.0.known.write().unwrap_or_else(PoisonError::into_inner);
        *known = Arc::new(Known::new(known.generation + 1, lists));
        Ok(true)
    }

    /// How many lists there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known().lists.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many of them were to be replaced by now. What such a list revokes stays revoked, but what
    /// was revoked since is not known.
    #[must_use]
    pub fn outdated(&self, now: DateTime<Utc>) -> usize {
        let known = self.known();
        let next = known.lists.iter().filter_map(|list| list.next);
        next.filter(|next| *next < now).count()
    }

    pub(crate) fn known(&self) -> Arc<Known> {
        let known = self.0.known.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&known)
    }
}

impl Known {
    pub(crate) fn new(generation: u64, mut lists: Vec<List>) -> Self {
        lists.sort_by_key(|list| std::cmp::Reverse(list.made));
        Self { generation, lists }
    }
}

#[cfg(test)]
mod tests;

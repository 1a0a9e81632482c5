//! The file: opening it, giving room back, and setting it aside when it is damaged.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use chrono::Utc;
use redb::backends::FileBackend;
use redb::{Builder, Database};

use crate::error::{SpoolError, Verdict};
use crate::guard::guarded;

/// Memory for pages. Records are written once and read at most once, in order.
const CACHE: usize = 8 << 20;
/// Damaged files that are kept for a look; the oldest beyond that are removed.
const SET_ASIDE_KEPT: usize = 5;

/// A file that could not be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Where it is now.
    pub path: PathBuf,
    /// What was found.
    pub why: String,
}

/// Opens the database and verifies all of it, so that damage is found now and not in the middle of
/// the work. A damaged file is set aside, and a new one begun.
pub(crate) fn open(path: &Path) -> Result<(Database, Option<SetAside>), SpoolError> {
    let why = match guarded(|| database(path)) {
        Ok(database) => return Ok((database, None)),
        Err(Verdict::Corrupt(why)) => why,
        Err(verdict) => return Err(fatal(path, verdict)),
    };
    let set_aside = set_aside(path, why)?;
    let database = guarded(|| database(path)).map_err(|verdict| fatal(path, verdict))?;
    Ok((database, Some(set_aside)))
}

fn database(path: &Path) -> Result<Database, redb::Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600);
    let backend = FileBackend::new(options.open(path)?)?;
    let mut builder = Builder::new();
    builder
        .set_cache_size(CACHE)
        .set_check_integrity_on_open(true);
    Ok(builder.create_with_backend(backend)?)
}

fn fatal(path: &Path, verdict: Verdict) -> SpoolError {
    let path = path.to_owned();
    match verdict {
        Verdict::Locked => SpoolError::Locked { path },
        Verdict::Corrupt(why) => SpoolError::Corrupt { path, why },
        Verdict::Unusable(why) => SpoolError::Unusable { path, why },
    }
}

/// What an error in the middle of the work means. A damaged file is set aside at once.
pub(crate) fn after_failure(path: &Path, verdict: Verdict) -> SpoolError {
    match verdict {
        Verdict::Corrupt(why) => match set_aside(path, why.clone()) {
            Ok(set_aside) => {
                let to = set_aside.path.display();
                let why = format!("{why}; set aside as {to}");
                fatal(path, Verdict::Corrupt(why))
            }
            Err(error) => error,
        },
        verdict => fatal(path, verdict),
    }
}

fn set_aside(path: &Path, why: String) -> Result<SetAside, SpoolError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!("{name}.corrupt-");
    let time = Utc::now().format("%Y%m%dT%H%M%S%.6fZ");
    let to = path.with_file_name(format!("{prefix}{time}"));
    fs::rename(path, &to).map_err(|error| SpoolError::Unusable {
        path: path.to_owned(),
        why: format!("{why}, and it cannot be set aside: {error}"),
    })?;
    forget_oldest(path, &prefix);
    Ok(SetAside { path: to, why })
}

/// Their names end in their times, so that they sort by age.
fn forget_oldest(path: &Path, prefix: &str) {
    let Some(entries) = path.parent().and_then(|folder| fs::read_dir(folder).ok()) else {
        return;
    };
    let is_one = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(prefix)
    };
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<_> = files.filter(is_one).collect();
    files.sort();
    for old in files.iter().rev().skip(SET_ASIDE_KEPT) {
        if let Err(error) = fs::remove_file(old) {
            tracing::warn!("cannot remove {}: {error}", old.display());
        }
    }
}

/// Size of the file; 0 when it cannot be told.
pub(crate) fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

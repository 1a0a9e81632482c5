//! Up to when every slot has been dealt with, kept in a file: what the next run tells as missed.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{DateTime, SecondsFormat, Utc};
use monitor_core::Region;

/// The file of one region.
#[derive(Debug)]
pub(crate) struct Watermark {
    path: PathBuf,
    last: Option<DateTime<Utc>>,
}

impl Watermark {
    /// Reads what the last run has left in `folder`, which is made if it is missing. A file that
    /// cannot be understood is as good as none.
    pub(crate) fn open(folder: &Path, region: &Region) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make CHECKER_SPOOL_DIR {}", folder.display()))?;
        let path = folder.join(format!("{region}.watermark"));
        let last = read(&path)?;
        let watermark = Self { path, last };
        // Whoever cannot write it shall know at once, not at the next restart.
        watermark.write(last.unwrap_or(DateTime::UNIX_EPOCH))?;
        Ok(watermark)
    }

    /// What the last run has reached; `None` when there was none.
    pub(crate) fn last(&self) -> Option<DateTime<Utc>> {
        self.last
    }

    /// Every slot up to `reached` has been dealt with.
    pub(crate) fn write(&self, reached: DateTime<Utc>) -> anyhow::Result<()> {
        let unfinished = self.path.with_extension("unfinished");
        let text = reached.to_rfc3339_opts(SecondsFormat::Millis, true);
        fs::write(&unfinished, text)
            .and_then(|()| fs::rename(&unfinished, &self.path))
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

fn read(path: &Path) -> anyhow::Result<Option<DateTime<Utc>>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", path.display()));
        }
    };
    match DateTime::parse_from_rfc3339(text.trim()) {
        Ok(instant) if instant.to_utc() == DateTime::UNIX_EPOCH => Ok(None),
        Ok(instant) => Ok(Some(instant.to_utc())),
        Err(error) => {
            let path = path.display();
            tracing::warn!("{path} is not an instant ({error}): starting without it");
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &Path) -> Watermark {
        Watermark::open(folder, &"eu".parse().unwrap()).unwrap()
    }

    #[test]
    fn the_next_run_reads_what_this_one_has_written() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("made");
        assert_eq!(open(&folder).last(), None);
        assert_eq!(open(&folder).last(), None);
        let instant = DateTime::from_timestamp_millis(1_800_000_000_123).unwrap();
        open(&folder).write(instant).unwrap();
        assert_eq!(open(&folder).last(), Some(instant));
    }

    #[test]
    fn a_file_that_is_spoilt_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("eu.watermark"), "\0yesterday").unwrap();
        assert_eq!(open(folder.path()).last(), None);
    }

    #[test]
    fn a_folder_that_cannot_be_had_is_an_error_that_names_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = Watermark::open(file.path(), &"eu".parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains("CHECKER_SPOOL_DIR"), "{error}");
    }
}

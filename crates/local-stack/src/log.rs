//! The log file of a child process: what it said since it was started, and its last lines.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

const TAIL_LINES: usize = 20;

/// A log file, read from where it stood when the process was started.
#[derive(Clone, Debug)]
pub struct Log {
    path: PathBuf,
    start: u64,
}

impl Log {
    /// The log at `path`; what it holds already belongs to the past.
    pub(crate) fn continue_at(path: &Path) -> Result<Self> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)
                .with_context(|| format!("cannot make the folder {}", parent.display()))?;
        }
        let start = fs::metadata(path).map_or(0, |metadata| metadata.len());
        Ok(Self {
            path: path.to_owned(),
            start,
        })
    }

    /// Opens the file for the process to append to.
    pub(crate) fn open(&self) -> Result<File> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)
            .with_context(|| format!("cannot write the log {}", self.path.display()))
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was written since the process started; empty when the file cannot be read.
    #[must_use]
    pub fn text(&self) -> String {
        let mut bytes = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.start))?;
            file.read_to_end(&mut bytes)
        });
        read.map_or_else(
            |_| String::new(),
            |_| String::from_utf8_lossy(&bytes).into_owned(),
        )
    }

    /// The last lines since the process started, below a line that names the file.
    #[must_use]
    pub fn tail(&self) -> String {
        let text = self.text();
        let lines: Vec<&str> = text.lines().collect();
        let last = &lines[lines.len().saturating_sub(TAIL_LINES)..];
        if last.is_empty() {
            return format!("{} is empty", self.path.display());
        }
        format!(
            "last lines of {}:\n  {}",
            self.path.display(),
            last.join("\n  ")
        )
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn only_what_was_written_after_the_start_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/service.log");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "old\n").unwrap();
        let log = Log::continue_at(&path).unwrap();
        log.open().unwrap().write_all(b"new\n").unwrap();
        assert_eq!(log.text(), "new\n");
    }

    #[test]
    fn the_tail_keeps_the_last_lines() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::continue_at(&folder.path().join("log")).unwrap();
        for line in 0..100 {
            writeln!(log.open().unwrap(), "line {line}").unwrap();
        }
        assert!(log.tail().contains("line 80\n"));
        assert!(!log.tail().contains("line 79\n"));
    }
}

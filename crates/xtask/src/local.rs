//! The folder `.local`: what the local stack keeps in a checkout.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use local_stack::StackLock;

use crate::workspace;

/// `.local` of this checkout, held for this process alone.
#[derive(Debug)]
pub(crate) struct Local {
    folder: PathBuf,
    _lock: StackLock,
}

impl Local {
    pub(crate) fn open() -> Result<Self> {
        let folder = workspace::root()?.join(".local");
        let lock = StackLock::acquire(&folder)?;
        let local = Self {
            folder,
            _lock: lock,
        };
        for inner in ["log", "run"] {
            let folder = local.path(inner);
            fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        // Left there by a run that was killed: nothing answers at these addresses.
        fs::remove_file(local.path("env")).ok();
        Ok(local)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.folder.join("log").join(name).with_extension("log")
    }

    /// Writes `env`, for a shell and for our own programs; gone when dropped.
    pub(crate) fn write_env(&self, variables: &[(&str, String)]) -> Result<EnvFile> {
        let path = self.path("env");
        let lines = variables
            .iter()
            .map(|(name, value)| format!("{name}={value}\n"));
        write_private(&path, &lines.collect::<String>())
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(EnvFile(path))
    }
}

/// `.local/env`, which is there exactly while the stack is ready.
#[derive(Debug)]
pub(crate) struct EnvFile(PathBuf);

impl Drop for EnvFile {
    fn drop(&mut self) {
        // The next run writes it anew in any case.
        fs::remove_file(&self.0).ok();
    }
}

/// It holds a password. Renamed into place, so that a reader sees all of it or nothing.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    fs::remove_file(&unfinished).ok();
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    fs::rename(&unfinished, path)
}

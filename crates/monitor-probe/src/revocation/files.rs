//! The files that lists are in.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::RevocationListError;
use super::list::List;

/// What tells whether files have changed since.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp(Vec<(PathBuf, Option<Version>)>);

/// When a file was changed, its length, and its number, which a file that replaces it has not.
type Version = (SystemTime, u64, u64);

impl Stamp {
    pub(super) fn of(paths: &[PathBuf]) -> Self {
        let found = paths.iter().flat_map(|path| {
            // What cannot be looked at is like nothing, until it can.
            files(path).unwrap_or_else(|_| vec![path.clone()])
        });
        Self(found.map(|file| (file.clone(), version(&file))).collect())
    }
}

fn version(file: &Path) -> Option<Version> {
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
}

/// Reads the lists of all files and folders, or says everything that is wrong with them.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<List>, Vec<RevocationListError>> {
    let (mut lists, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        match files(path) {
            Ok(files) => {
                for file in files {
                    match read_file(&file) {
                        Ok(found) => lists.extend(found),
                        Err(problem) => errors.push(RevocationListError { file, problem }),
                    }
                }
            }
            Err(error) => errors.push(RevocationListError {
                file: path.clone(),
                problem: format!("cannot be read: {error}"),
            }),
        }
    }
    if errors.is_empty() {
        Ok(lists)
    } else {
        Err(errors)
    }
}

fn read_file(file: &Path) -> Result<Vec<List>, String> {
    let bytes = fs::read(file).map_err(|error| format!("cannot be read: {error}"))?;
    List::read_all(&bytes)
}

/// The file itself, or those in the folder, in the order of their names.
fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        // Hidden files are those of the tools that fill folders.
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let is_file = fs::metadata(entry.path())
            .as_ref()
            .is_ok_and(Metadata::is_file);
        if is_file && !is_hidden {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

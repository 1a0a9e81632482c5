//! Files that settings name, and that others may replace while a program runs.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What files were like at some moment. Two stamps of the same paths differ when a file has changed
/// in between, was replaced, or is there and was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileStamp(Vec<(PathBuf, Option<Version>)>);

/// When a file was changed, its length, and its number, which a file that replaces it has not.
type Version = (SystemTime, u64, u64);

impl FileStamp {
    /// Looks at these files, and at all files in these folders. A link is what it leads to.
    #[must_use]
    pub fn of(paths: &[PathBuf]) -> Self {
        let found = paths.iter().flat_map(|path| {
            // What cannot be looked at is like nothing, until it can.
            files_in(path).unwrap_or_else(|_| vec![path.clone()])
        });
        Self(found.map(|file| (file.clone(), version(&file))).collect())
    }
}

fn version(file: &Path) -> Option<Version> {
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
}

/// The file itself, or those in the folder, in the order of their names. Fails when the path, or
/// anything in the folder, cannot be looked at.
pub fn files_in(path: &Path) -> io::Result<Vec<PathBuf>> {
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_stamp_tells_files_that_were_written_replaced_or_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let paths = [path("file"), path("link")];
        let mut stamps = vec![FileStamp::of(&paths)];
        let mut stamp = || {
            stamps.push(FileStamp::of(&paths));
            assert_eq!(stamps.last(), Some(&FileStamp::of(&paths)));
        };
        fs::write(path("file"), "one").unwrap();
        stamp();
        fs::write(path("file"), "three").unwrap();
        stamp();
        fs::write(path("other"), "seven").unwrap();
        fs::rename(path("other"), path("file")).unwrap();
        stamp();
        // As a mounted secret changes: by a link that leads elsewhere.
        fs::write(path("first"), "a").unwrap();
        fs::write(path("second"), "b").unwrap();
        symlink(path("first"), path("link")).unwrap();
        stamp();
        symlink(path("second"), path("new link")).unwrap();
        fs::rename(path("new link"), path("link")).unwrap();
        stamp();
        fs::remove_file(path("file")).unwrap();
        stamp();
        // At the end as at the beginning there is no file; all others differ.
        fs::remove_file(path("link")).unwrap();
        assert_eq!(stamps[0], FileStamp::of(&paths));
        let differ = |(index, one)| !stamps[index + 1..].contains(one);
        assert!(stamps.iter().enumerate().all(differ));
    }
}

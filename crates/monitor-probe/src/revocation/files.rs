//! The files that lists are in.

use std::fs;
use std::path::{Path, PathBuf};

use monitor_config::files_in;

use super::RevocationListError;
use super::list::List;

/// Reads the lists of all files and folders, or says everything that is wrong with them.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<List>, Vec<RevocationListError>> {
    let (mut lists, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        match files_in(path) {
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

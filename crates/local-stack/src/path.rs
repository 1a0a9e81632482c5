//! Finding programs, as a shell would.

use std::env;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The first executable file of this name in `PATH`.
#[must_use]
pub fn find_executable(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|candidate| is_executable(candidate))
}

/// The same of a service, which may be where only the administrator looks.
#[must_use]
pub fn find_service(name: &str) -> Option<PathBuf> {
    let elsewhere = ["/usr/sbin", "/usr/local/sbin"];
    let elsewhere = elsewhere.map(|folder| Path::new(folder).join(name));
    find_executable(name).or_else(|| elsewhere.into_iter().find(|path| is_executable(path)))
}

pub(crate) fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_is_found_and_nonsense_is_not() {
        assert!(find_executable("sh").is_some());
        assert!(find_executable("no-such-program-here").is_none());
    }
}

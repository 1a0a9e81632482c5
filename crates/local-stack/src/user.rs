//! Whom a service runs as: PostgreSQL refuses to run as root.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use nix::unistd::{Uid, User};

/// An unprivileged account that a service is started as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServiceUser {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl ServiceUser {
    /// The account for PostgreSQL when we are root (its own, else `nobody`); `None` when we are not.
    pub(crate) fn for_postgres() -> Result<Option<Self>> {
        if !Uid::effective().is_root() {
            return Ok(None);
        }
        let by_name = |name| User::from_name(name).ok().flatten();
        let user = by_name("postgres")
            .or_else(|| by_name("nobody"))
            .context("PostgreSQL does not run as root, and there is no user postgres or nobody")?;
        Ok(Some(Self {
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
        }))
    }

    /// Gives the file or folder to this account.
    pub(crate) fn own(self, path: &Path) -> Result<()> {
        chown(path, Some(self.uid), Some(self.gid))
            .with_context(|| format!("cannot change the owner of {}", path.display()))
    }

    /// Whether this account can pass through every existing folder on the way to `path`.
    pub(crate) fn can_reach(self, path: &Path) -> bool {
        let Ok(path) = std::path::absolute(path) else {
            return false;
        };
        path.ancestors()
            .skip(1)
            .filter_map(resolved)
            .all(|folder| self.can_search(&folder))
    }

    fn can_search(self, folder: &Path) -> bool {
        let Ok(metadata) = fs::metadata(folder) else {
            return false;
        };
        let search = if metadata.uid() == self.uid {
            0o100
        } else if metadata.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        metadata.mode() & search != 0
    }
}

/// The folder without symbolic links, if it exists.
fn resolved(folder: &Path) -> Option<PathBuf> {
    fs::canonicalize(folder).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const STRANGER: ServiceUser = ServiceUser {
        uid: 64_000,
        gid: 64_000,
    };

    #[test]
    fn a_closed_folder_on_the_way_stops_another_user() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("open/data");
        fs::create_dir_all(&inner).unwrap();
        let set = |mode| {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        };
        set(0o711);
        assert!(STRANGER.can_reach(&inner));
        set(0o700);
        assert!(!STRANGER.can_reach(&inner));
    }
}

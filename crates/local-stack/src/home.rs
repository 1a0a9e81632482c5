//! The folder of a service: kept between runs, or gone with it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::user::ServiceUser;

/// Where a service keeps its things.
#[derive(Debug)]
pub(crate) struct Home {
    path: PathBuf,
    /// Removes the folder when the service is dropped.
    _temporary: Option<TempDir>,
}

impl Home {
    /// `wanted` (made if missing), else a temporary folder; owned by, and reachable for, `user`.
    pub(crate) fn prepare(wanted: Option<&Path>, user: Option<ServiceUser>) -> Result<Self> {
        let home = match wanted {
            Some(wanted) => Self::kept(reachable(wanted, user)?)?,
            None => Self::temporary(user)?,
        };
        if let Some(user) = user {
            user.own(&home.path)?;
        }
        Ok(home)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The port that the service had in its last run.
    pub(crate) fn last_port(&self) -> Option<u16> {
        fs::read_to_string(self.path.join("port"))
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    pub(crate) fn remember_port(&self, port: u16) -> Result<()> {
        let path = self.path.join("port");
        fs::write(&path, format!("{port}\n"))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn kept(path: PathBuf) -> Result<Self> {
        fs::create_dir_all(&path)
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
        Ok(Self {
            path,
            _temporary: None,
        })
    }

    fn temporary(user: Option<ServiceUser>) -> Result<Self> {
        let reachable = |folder: &Path| user.is_none_or(|user| user.can_reach(&folder.join("x")));
        let parent = [
            env::temp_dir(),
            PathBuf::from("/var/tmp"),
            PathBuf::from("/tmp"),
        ]
        .into_iter()
        .find(|folder| folder.is_dir() && reachable(folder))
        .context("no folder for temporary files: set TMPDIR")?;
        let folder = tempfile::Builder::new()
            .prefix("aiven-monitor-")
            .tempdir_in(&parent)
            .with_context(|| format!("cannot make a folder in {}", parent.display()))?;
        Ok(Self {
            path: folder.path().to_owned(),
            _temporary: Some(folder),
        })
    }
}

/// `wanted`, or a place with a stable name where `user` can go when it cannot go there.
fn reachable(wanted: &Path, user: Option<ServiceUser>) -> Result<PathBuf> {
    let wanted = std::path::absolute(wanted)
        .with_context(|| format!("{} is not a usable path", wanted.display()))?;
    if user.is_none_or(|user| user.can_reach(&wanted)) {
        return Ok(wanted);
    }
    let mut hasher = DefaultHasher::new();
    wanted.hash(&mut hasher);
    Ok(PathBuf::from(format!(
        "/var/tmp/aiven-monitor-{:016x}",
        hasher.finish()
    )))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const STRANGER: Option<ServiceUser> = Some(ServiceUser {
        uid: 64_000,
        gid: 64_000,
    });

    #[test]
    fn a_folder_that_the_user_cannot_reach_is_replaced_by_a_stable_one() {
        let closed = tempfile::tempdir().unwrap();
        fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let wanted = closed.path().join("postgres");
        let first = reachable(&wanted, STRANGER).unwrap();
        assert!(first.starts_with("/var/tmp"));
        assert_eq!(first, reachable(&wanted, STRANGER).unwrap());
        assert_eq!(reachable(&wanted, None).unwrap(), wanted);
    }

    #[test]
    fn a_temporary_home_is_gone_when_dropped() {
        let home = Home::prepare(None, None).unwrap();
        let path = home.path().to_owned();
        assert!(path.is_dir());
        drop(home);
        assert!(!path.exists());
    }
}

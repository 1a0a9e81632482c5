//! The dashboard, which npm builds. Whatever else there is works without Node.js, npm and the dashboard.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use local_stack::{Control, find_executable};

use crate::{console, step};

/// The oldest that Vite runs on.
const OLDEST_NODE: (u32, u32) = (20, 19);
/// What the built page is made of, beside the folder `src`.
const SOURCES: [&str; 5] = [
    "src",
    "public",
    "index.html",
    "package-lock.json",
    "vite.config.ts",
];

/// The dashboard of a checkout, where it can be built.
pub(crate) struct Dashboard {
    folder: PathBuf,
    npm: PathBuf,
    node: PathBuf,
}

impl Dashboard {
    /// With what it is made of installed; `None`, and said so, when that cannot be had.
    pub(crate) fn find(root: &Path, control: &Control) -> Result<Option<Self>> {
        let found = find_executable("npm").zip(find_executable("node").filter(|node| is_new(node)));
        let Some((npm, node)) = found else {
            let (major, minor) = OLDEST_NODE;
            console::say(&format!(
                "! the dashboard is left out: it takes npm and Node.js {major}.{minor} or newer"
            ));
            return Ok(None);
        };
        let folder = root.join("dashboard");
        let dashboard = Self { folder, npm, node };
        let installed = dashboard.install(control);
        control.check()?;
        if let Err(error) = installed {
            console::say(&format!("! the dashboard is left out: {error:#}"));
            return Ok(None);
        }
        Ok(Some(dashboard))
    }

    /// Builds it, if it has changed since it was built last.
    pub(crate) fn build(&self, control: &Control) -> Result<()> {
        let built = modified(&self.folder.join("dist/index.html"));
        if built.is_some_and(|built| self.changed().is_some_and(|changed| changed < built)) {
            return Ok(());
        }
        self.npm(
            "build the dashboard",
            &["run", "--silent", "build"],
            control,
        )
    }

    /// Types, and tests that need no browser.
    pub(crate) fn check(&self, control: &Control) -> Result<()> {
        let step = |what, script| self.npm(what, &["run", "--silent", script], control);
        step(
            "the dashboard's types of the API are current",
            "types:check",
        )?;
        step("types of the dashboard", "check")?;
        step("tests of the dashboard", "test")
    }

    /// The Node.js that runs its tests in a browser.
    pub(crate) fn node(&self) -> &Path {
        &self.node
    }

    /// npm itself notes what it has installed.
    fn install(&self, control: &Control) -> Result<()> {
        let noted = modified(&self.folder.join("node_modules/.package-lock.json"));
        let asked = modified(&self.folder.join("package-lock.json"));
        if noted.is_some() && noted >= asked {
            return Ok(());
        }
        self.npm(
            "install the dashboard's packages",
            &["ci", "--silent"],
            control,
        )
    }

    /// When the latest of its sources was changed.
    fn changed(&self) -> Option<SystemTime> {
        let sources = SOURCES.iter().map(|name| self.folder.join(name));
        sources.filter_map(|path| latest(&path)).max()
    }

    fn npm(&self, what: &str, args: &[&str], control: &Control) -> Result<()> {
        let mut command = Command::new(&self.npm);
        command.current_dir(&self.folder).args(args);
        step::run(what, &mut command, control)
    }
}

/// A browser for its tests, by the names that it has on different systems.
pub(crate) fn find_browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names.into_iter().find_map(find_executable)
}

fn is_new(node: &Path) -> bool {
    let said = Command::new(node).arg("--version").output();
    let said = said.context("cannot run node").map(|output| output.stdout);
    said.is_ok_and(|text| version(&String::from_utf8_lossy(&text)) >= Some(OLDEST_NODE))
}

/// Of `v20.19.4`, the first two numbers.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix('v')?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}

/// When a file, or the latest in a folder and below, was changed. A folder changes with its names.
fn latest(path: &Path) -> Option<SystemTime> {
    let inside = fs::read_dir(path).ok().into_iter().flatten().flatten();
    let inside = inside.filter_map(|entry| latest(&entry.path())).max();
    modified(path).max(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("v20.19.4\n"), Some((20, 19)));
        assert!(version("v9.30.0") < Some(OLDEST_NODE));
        assert!(version("v20.2.0") < Some(OLDEST_NODE));
        assert!(version("v100.0.0") > Some(OLDEST_NODE));
        assert!(version("command not found") < Some(OLDEST_NODE));
    }

    #[test]
    fn a_change_deep_inside_a_folder_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        let file = deep.join("file");
        fs::write(&file, "").unwrap();
        let future = SystemTime::now() + std::time::Duration::from_hours(1);
        fs::File::options()
            .append(true)
            .open(&file)
            .unwrap()
            .set_modified(future)
            .unwrap();
        assert_eq!(latest(folder.path()), modified(&file));
        assert_eq!(latest(&folder.path().join("nothing")), None);
    }
}

//! Where things are in this checkout.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The folder with the workspace's `Cargo.toml`.
pub(crate) fn root() -> Result<PathBuf> {
    // Cargo sets it for what it runs; it is read at run time because a checkout may be moved.
    let own_manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let start = match own_manifest {
        Some(folder) => folder,
        None => env::current_dir().context("cannot tell the current folder")?,
    };
    start
        .ancestors()
        .find(|folder| folder.join("crates/xtask").is_dir())
        .map(Path::to_owned)
        .context("run this inside the checkout")
}

/// Where cargo puts the programs that it builds: xtask itself is one of them.
pub(crate) fn built_programs() -> Result<PathBuf> {
    let own = env::current_exe().context("cannot tell where this program is")?;
    own.parent()
        .map(Path::to_owned)
        .context("this program has no folder")
}

/// The cargo that runs us.
pub(crate) fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

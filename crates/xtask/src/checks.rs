//! The checks that need nothing but the compiler.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use local_stack::Control;

use crate::{step, workspace};

pub(crate) fn formatting(root: &Path, control: &Control) -> Result<()> {
    step::run(
        "formatting",
        &mut cargo(root, &["fmt", "--all", "--check"]),
        control,
    )
}

pub(crate) fn lints(root: &Path, control: &Control) -> Result<()> {
    let args = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    step::run("lints", &mut cargo(root, &args), control)
}

pub(crate) fn documentation(root: &Path, control: &Control) -> Result<()> {
    let mut command = cargo(root, &["doc", "--workspace", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    step::run("documentation", &mut command, control)
}

/// Puts all sources in order.
pub(crate) fn format(root: &Path, control: &Control) -> Result<()> {
    step::run("format", &mut cargo(root, &["fmt", "--all"]), control)
}

fn cargo(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(workspace::cargo());
    command.current_dir(root).args(args);
    command
}

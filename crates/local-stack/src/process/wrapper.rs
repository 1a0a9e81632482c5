//! The command line that runs a program as the right user, and ends it with us where possible.

use std::env;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use anyhow::{Context as _, Result};

use super::program::Program;
use crate::path::find_executable;

const INHERITED: [&str; 4] = ["PATH", "HOME", "TZ", "TMPDIR"];

/// `setpriv`, if it is the one of util-linux that knows of the parent's death.
static SETPRIV: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let setpriv = find_executable("setpriv")?;
    let mut probe = Command::new(&setpriv);
    probe.args(["--pdeathsig", "TERM", "--", "true"]);
    let works = probe.output().is_ok_and(|output| output.status.success());
    works.then_some(setpriv)
});

pub(super) fn command(program: &Program, log: File) -> Result<Command> {
    let mut command = match SETPRIV.as_ref() {
        Some(setpriv) => with_setpriv(setpriv, program),
        None => without_setpriv(program),
    };
    let errors = log.try_clone().context("cannot share the log")?;
    command
        .args(&program.args)
        .env_clear()
        .envs(
            INHERITED
                .iter()
                .filter_map(|name| Some((name, env::var_os(name)?))),
        )
        .envs(program.env.iter().map(|(name, value)| (name, value)))
        .stdin(if program.stdin_open {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(log)
        .stderr(errors)
        // Ctrl-C in the terminal is for us alone: we stop the children, in order.
        .process_group(0);
    if let Some(directory) = &program.directory {
        command.current_dir(directory);
    }
    Ok(command)
}

fn with_setpriv(setpriv: &PathBuf, program: &Program) -> Command {
    let mut command = Command::new(setpriv);
    if let Some(user) = program.user {
        command.args(["--reuid", &user.uid.to_string()]);
        command.args(["--regid", &user.gid.to_string()]);
        command.arg("--clear-groups");
    }
    let signal = program.stop.first().map_or("TERM", |step| {
        let name = step.signal.as_str();
        name.strip_prefix("SIG").unwrap_or(name)
    });
    command.args(["--pdeathsig", signal, "--"]);
    command.arg(&program.executable);
    command
}

fn without_setpriv(program: &Program) -> Command {
    let mut command = Command::new(&program.executable);
    if let Some(user) = program.user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

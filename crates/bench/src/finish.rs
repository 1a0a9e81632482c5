//! Programs that do one thing and end.

use std::time::Duration;

use anyhow::{Result, bail};
use local_stack::{Control, Process, Program};

/// Runs the program to its end, and fails with the end of its log if it does.
pub(crate) fn run(program: &Program, limit: Duration, control: &Control) -> Result<()> {
    let mut process = Process::start(program)?;
    let status = control.poll(limit, || process.exited())?;
    let name = process.name();
    match status {
        Some(status) if status.success() => Ok(()),
        Some(status) => bail!("{name} failed ({status})\n{}", process.log().tail()),
        None => bail!(
            "{name} took more than {} s\n{}",
            limit.as_secs(),
            process.log().tail()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let program =
            Program::new("shell", "/bin/sh", folder.path().join("log")).args(["-c", script]);
        run(&program, Duration::from_secs(10), &Control::default())
    }

    #[test]
    fn a_failure_is_told_with_what_the_program_said() {
        assert!(shell("echo fine").is_ok());
        let error = shell("echo no such thing; exit 3").unwrap_err().to_string();
        assert!(
            error.starts_with("shell failed (exit status: 3)"),
            "{error}"
        );
        assert!(error.contains("no such thing"), "{error}");
    }
}

//! Runs a command as one step: named, timed, and ended with us.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use local_stack::Control;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::console;

const FOREVER: Duration = Duration::MAX;
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the command to its end and fails if it does.
pub(crate) fn run(what: &str, command: &mut Command, control: &Control) -> Result<()> {
    let started = Instant::now();
    console::say(&format!("▸ {what}"));
    let status = status(command, control).with_context(|| format!("{what}: cannot run it"))?;
    if !status.success() {
        bail!("{what} failed ({status}, {})", console::elapsed(started));
    }
    console::say(&format!("✔ {what} ({})", console::elapsed(started)));
    Ok(())
}

/// Runs the command to its end, in a process group of its own so that all it started can be ended.
pub(crate) fn status(command: &mut Command, control: &Control) -> Result<ExitStatus> {
    control.check()?;
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    let ended = control.poll(FOREVER, || child.try_wait().context("cannot wait"));
    match ended {
        Ok(Some(status)) => Ok(status),
        Ok(None) => bail!("{program} never ended"),
        Err(error) => {
            end(&mut child);
            Err(error)
        }
    }
}

/// The same end for us as for the command.
pub(crate) fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Errors are of no interest here: the group may be gone already.
fn end(child: &mut Child) {
    let group = Pid::from_raw(child.id().cast_signed());
    killpg(group, Signal::SIGTERM).ok();
    let ended = Control::default().poll(PATIENCE, || Ok(child.try_wait()?));
    if !matches!(ended, Ok(Some(_))) {
        killpg(group, Signal::SIGKILL).ok();
        drop(child.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_names_itself() {
        let mut command = Command::new("/bin/sh");
        let error = run("a try", command.args(["-c", "exit 3"]), &Control::default());
        let text = error.unwrap_err().to_string();
        assert!(text.starts_with("a try failed (exit status: 3"), "{text}");
    }

    #[test]
    fn a_cancelled_step_is_ended() {
        let control = Control::default();
        let stopper = control.clone();
        let canceller = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            stopper.cancel();
        });
        let started = Instant::now();
        let error = status(Command::new("sleep").arg("60"), &control).unwrap_err();
        assert_eq!(error.to_string(), "interrupted");
        assert!(started.elapsed() < Duration::from_secs(10));
        canceller.join().unwrap();
    }
}

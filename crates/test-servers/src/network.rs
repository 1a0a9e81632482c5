//! A network of one's own, for what the loopback interface cannot show: hosts that do not answer,
//! routers that know no way, and ports that run out. Only on Linux, and only where one may.

use std::process::Command;
use std::thread;

use anyhow::{Context as _, anyhow, ensure};

/// Whether there can be one here.
#[must_use]
pub fn is_available() -> bool {
    on_its_own_thread(leave_the_common_network).is_ok()
}

/// Runs `work` on a thread that has a network namespace of its own, after `setup`, a shell script
/// that may use `ip` to build a network in it.
pub fn inside<T: Send>(setup: &str, work: impl FnOnce() -> T + Send) -> anyhow::Result<T> {
    on_its_own_thread(|| {
        leave_the_common_network()?;
        // A child has the namespace of the thread that starts it.
        let shell = Command::new("sh").args(["-euc", setup]).output()?;
        let errors = String::from_utf8_lossy(&shell.stderr);
        ensure!(shell.status.success(), "cannot build the network: {errors}");
        Ok(work())
    })
}

fn on_its_own_thread<T: Send>(
    work: impl FnOnce() -> anyhow::Result<T> + Send,
) -> anyhow::Result<T> {
    let done = thread::scope(|scope| scope.spawn(work).join());
    done.map_err(|_| anyhow!("the work in the network panicked"))?
}

#[cfg(target_os = "linux")]
fn leave_the_common_network() -> anyhow::Result<()> {
    use nix::sched::{CloneFlags, unshare};
    unshare(CloneFlags::CLONE_NEWNET).context("cannot make a network namespace")
}

#[cfg(not(target_os = "linux"))]
fn leave_the_common_network() -> anyhow::Result<()> {
    Err(anyhow!("there are no network namespaces")).context("cannot make a network namespace")
}

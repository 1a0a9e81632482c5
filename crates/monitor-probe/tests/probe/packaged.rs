//! Servers that others wrote, so that we do not only agree with ourselves.

mod nginx;
mod openssl;

use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use local_stack::{Control, Process, Program, find_service};

/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where a program is. Tests install nothing.
fn executable(name: &str) -> PathBuf {
    let found = find_service(name);
    let missing = || format!("{name} is missing: `cargo xtask test` installs it");
    found.ok_or_else(missing).unwrap()
}

/// Starts a server, and waits until it listens on these ports.
fn start(program: &Program, ports: &[u16]) -> Process {
    let mut process = Process::start(program).unwrap();
    let listening = |port: &u16| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok();
    process
        .wait_until_ready(&Control::default(), PATIENCE, |_| {
            ports.iter().all(listening).then_some(())
        })
        .unwrap();
    process
}

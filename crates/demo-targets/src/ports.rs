//! The same ports in every run: the addresses of sites are kept in a database.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::{Context as _, Result};
use local_stack::ReservedPort;
use tokio::net::{TcpListener, TcpSocket};

/// A socket that has a port and does not listen.
pub(crate) type Socket = TcpSocket;

/// Which target has which port.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    ports: BTreeMap<String, u16>,
}

impl Plan {
    /// What was written last time; nothing when there was no last time.
    pub(crate) fn read(path: &Path) -> Self {
        parse(&fs::read_to_string(path).unwrap_or_default())
    }

    /// Listens on the target's port.
    pub(crate) fn listener(&mut self, name: &str) -> Result<TcpListener> {
        let listener = self.reserve(name)?.into_listener();
        listener
            .set_nonblocking(true)
            .and_then(|()| TcpListener::from_std(listener))
            .with_context(|| format!("cannot listen for {name}"))
    }

    /// Takes the target's port without listening on it: connections are refused.
    pub(crate) fn bound(&mut self, name: &str) -> Result<Socket> {
        let port = self.reserve(name)?.release();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let bind = || {
            let socket = TcpSocket::new_v4()?;
            socket.bind(address)?;
            std::io::Result::Ok(socket)
        };
        bind().with_context(|| format!("cannot take the port of {name}"))
    }

    /// Written under another name first, so that a reader sees all of it or nothing.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let unfinished = path.with_extension("unfinished");
        let lines = self
            .ports
            .iter()
            .map(|(name, port)| format!("{name}={port}\n"));
        fs::write(&unfinished, lines.collect::<String>())
            .and_then(|()| fs::rename(&unfinished, path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn reserve(&mut self, name: &str) -> Result<ReservedPort> {
        let reserved = ReservedPort::prefer(self.ports.get(name).copied())?;
        self.ports.insert(name.to_owned(), reserved.number());
        Ok(reserved)
    }
}

fn parse(text: &str) -> Plan {
    let entries = text.lines().filter_map(|line| {
        let (name, port) = line.split_once('=')?;
        Some((name.to_owned(), port.trim().parse().ok()?))
    });
    Plan {
        ports: entries.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ports");
        let plan = parse("healthy=20001\nslow=20002\n");
        plan.write(&path).unwrap();
        assert_eq!(Plan::read(&path), plan);
    }

    #[test]
    fn no_file_and_nonsense_are_an_empty_plan() {
        assert_eq!(Plan::read(Path::new("/no/such/file")), Plan::default());
        assert_eq!(parse("what is this\nhealthy=many\n"), Plan::default());
    }
}

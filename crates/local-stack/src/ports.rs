//! Loopback ports for the services.
//!
//! Ports are taken from below the range that the system hands out by itself, so that neither an
//! outgoing connection nor another program's "any port" takes one while its service restarts.

use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};

const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;
const CANDIDATES: u16 = 200;

/// A loopback port that nobody else can take while this value lives.
#[derive(Debug)]
pub struct ReservedPort {
    listener: TcpListener,
    number: u16,
}

impl ReservedPort {
    /// Reserves a free port.
    pub fn any() -> Result<Self> {
        let start = starting_point();
        (0..CANDIDATES)
            .find_map(|step| Self::exactly(FIRST + start.wrapping_add(step * 7) % COUNT))
            .or_else(|| Self::exactly(0))
            .context("no free port on 127.0.0.1")
    }

    /// Reserves this port if it is free, else another one.
    pub fn prefer(port: Option<u16>) -> Result<Self> {
        port.and_then(Self::exactly).map_or_else(Self::any, Ok)
    }

    fn exactly(port: u16) -> Option<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        let number = listener.local_addr().ok()?.port();
        Some(Self { listener, number })
    }

    /// The port's number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The socket itself, already listening, for a service inside this process.
    #[must_use]
    pub fn into_listener(self) -> TcpListener {
        self.listener
    }

    /// Frees the port for the service that is about to listen on it.
    #[must_use]
    pub fn release(self) -> u16 {
        drop(self.listener);
        self.number
    }
}

/// Different for every process and moment, so that two stacks rarely try the same ports.
fn starting_point() -> u16 {
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.subsec_nanos());
    let mixed = (nanos ^ process::id().rotate_left(16)).wrapping_mul(0x9E37_79B1);
    u16::try_from(mixed >> 16).unwrap_or(0) % COUNT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_port_is_not_given_twice() {
        let first = ReservedPort::any().unwrap();
        let second = ReservedPort::prefer(Some(first.number())).unwrap();
        assert_ne!(first.number(), second.number());
    }

    #[test]
    fn a_released_port_can_be_had_again() {
        let number = ReservedPort::any().unwrap().release();
        assert_eq!(ReservedPort::prefer(Some(number)).unwrap().number(), number);
    }
}

//! A server that accepts, and never says a word.

use std::net::TcpListener;
use std::thread;

use anyhow::{Context as _, Result};
use local_stack::ReservedPort;

/// Starts it; it listens until this process ends. Its port.
pub(crate) fn listen() -> Result<u16> {
    let reserved = ReservedPort::any()?;
    let port = reserved.number();
    let listener = reserved.into_listener();
    thread::Builder::new()
        .name("silence".to_owned())
        .spawn(move || hold(&listener))
        .context("cannot start a thread")?;
    Ok(port)
}

fn hold(listener: &TcpListener) {
    let mut held = Vec::new();
    for stream in listener.incoming().map_while(Result::ok) {
        held.push(stream);
    }
}

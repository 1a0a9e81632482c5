//! SIGTERM and SIGINT as requests to stop.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use crate::supervisor::{StopRequests, stop_requests};

/// Turns signals into requests for as long as the returned set lives.
pub(crate) fn listen() -> io::Result<(JoinSet<()>, StopRequests)> {
    let (sender, requests) = stop_requests();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut listener = JoinSet::new();
    listener.spawn(async move {
        loop {
            let name = tokio::select! {
                Some(()) = terminate.recv() => "SIGTERM",
                Some(()) = interrupt.recv() => "SIGINT",
                else => return,
            };
            if sender.send(name).is_err() {
                return;
            }
        }
    });
    Ok((listener, requests))
}

//! A TCP proxy that does to its connections what it is told, while they are open.
//!
//! It runs on a thread of its own, so that a test that waits for a child does not hold it up.

mod connection;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// What becomes of what the two sides say to each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Traffic {
    /// It goes through.
    #[default]
    Flows,
    /// Each piece of it waits this long on its way, in both directions.
    Delayed(Duration),
    /// At most this many bytes a second go through, in each direction.
    Limited(u32),
    /// A connection is reset as soon as the client has said more than this many bytes from now on.
    RequestsCutAfter(u64),
    /// A connection is reset as soon as the server has said more than this many bytes from now on:
    /// what it has done by then is done, but the client does not know.
    AnswersCutAfter(u64),
    /// Nothing goes through, and nobody is told. Connections that are, or come to be, open meanwhile
    /// stay silent for ever: what was between them is gone.
    Swallowed,
    /// Connections are reset, and new ones refused.
    Refused,
}

/// A running proxy; its connections end with it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

#[derive(Debug)]
struct Shared {
    upstream: Mutex<Option<SocketAddr>>,
    traffic: watch::Sender<Traffic>,
    /// Grows with each command to reset all connections.
    resets: watch::Sender<u64>,
    accepted: AtomicU64,
    /// Connections before this one were open while everything was swallowed.
    lost: AtomicU64,
    requested: AtomicU64,
    answered: AtomicU64,
}

impl Proxy {
    /// A proxy on a free port of 127.0.0.1 in front of `upstream`. Without one, it resets whoever
    /// connects until it is told where it [leads to](Self::lead_to).
    pub fn start(upstream: Option<SocketAddr>) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            bind((Ipv4Addr::LOCALHOST, 0).into())?.listen(BACKLOG)?
        };
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream: Mutex::new(upstream),
            traffic: watch::Sender::new(Traffic::Flows),
            resets: watch::Sender::new(0),
            accepted: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            requested: AtomicU64::new(0),
            answered: AtomicU64::new(0),
        });
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = thread::Builder::new().name("proxy".to_owned());
        let thread = thread.spawn(move || run(&runtime, listener, served, stopped))?;
        Ok(Self {
            address,
            shared,
            running: Some((stop, thread)),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// New connections go there from now on.
    pub fn lead_to(&self, upstream: SocketAddr) {
        let known = self.shared.upstream.lock();
        *known.unwrap_or_else(PoisonError::into_inner) = Some(upstream);
    }

    /// Deals with all traffic in this way from now on, also with that of open connections.
    pub fn set(&self, traffic: Traffic) {
        let before = self.shared.traffic.send_replace(traffic);
        if before == Traffic::Swallowed && traffic != Traffic::Swallowed {
            let accepted = self.shared.accepted.load(Ordering::SeqCst);
            self.shared.lost.store(accepted, Ordering::SeqCst);
        }
    }

    /// Resets every open connection, once.
    pub fn reset(&self) {
        self.shared.resets.send_modify(|resets| *resets += 1);
    }

    /// How many connections it has accepted.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How many bytes of the clients it has passed on.
    #[must_use]
    pub fn bytes_requested(&self) -> u64 {
        self.shared.requested.load(Ordering::SeqCst)
    }

    /// How many bytes of the server it has passed on.
    #[must_use]
    pub fn bytes_answered(&self) -> u64 {
        self.shared.answered.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            // Its panic, if any, was printed when it happened.
            drop(thread.join());
        }
    }
}

/// A socket on this address that others of ours may be bound to as well: so the port stays ours
/// while nobody listens on it.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn run(
    runtime: &Runtime,
    listener: TcpListener,
    shared: Arc<Shared>,
    stopped: oneshot::Receiver<()>,
) {
    runtime.block_on(async {
        tokio::select! {
            served = serve(listener, shared) => drop(served),
            // The sender has gone.
            _ = stopped => {}
        }
    });
}

async fn serve(mut listener: TcpListener, shared: Arc<Shared>) -> io::Result<()> {
    let address = listener.local_addr()?;
    let mut traffic = shared.traffic.subscribe();
    let mut connections = JoinSet::new();
    loop {
        if *traffic.borrow_and_update() == Traffic::Refused {
            let deaf = bind(address)?;
            drop(listener);
            let ended = traffic.wait_for(|now| *now != Traffic::Refused).await;
            if ended.is_err() {
                return Ok(());
            }
            listener = deaf.listen(BACKLOG)?;
        }
        tokio::select! {
            accepted = listener.accept() => {
                let number = shared.accepted.fetch_add(1, Ordering::SeqCst);
                let shared = Arc::clone(&shared);
                connections.spawn(connection::run(accepted?.0, number, shared));
            }
            changed = traffic.changed() => if changed.is_err() {
                return Ok(());
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

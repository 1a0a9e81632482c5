//! Sites that behave well and badly, for trying the monitor out without harming anybody.
//!
//! A program of its own, so that `cargo xtask` does not have to compile TLS before it can start.

mod ports;
mod respond;
mod tls;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Parser;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::ports::{Plan, Socket};
use crate::respond::Respond;

/// Serves the demo targets on loopback until it is stopped.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Lines of NAME=PORT: ports that are free are used again, then all are written back
    ports_file: PathBuf,
}

/// What each target does; `None`: nobody listens there.
const TARGETS: [(&str, Option<Respond>); 9] = [
    ("healthy", Some(Respond::Well)),
    ("slow", Some(Respond::Late)),
    ("flaky", Some(Respond::SometimesUnavailable)),
    ("wrong_status", Some(Respond::NotFound)),
    ("wrong_content", Some(Respond::OtherContent)),
    ("redirect", Some(Respond::Elsewhere)),
    ("silent", Some(Respond::Never)),
    ("broken_tls", Some(Respond::BehindExpiredCertificate)),
    ("refused", None),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut plan = Plan::read(&arguments.ports_file);
    // Sockets that nobody listens on, held so that nobody else does either.
    let mut silent_sockets = Vec::new();
    let mut servers = JoinSet::new();
    for (name, respond) in TARGETS {
        match respond {
            Some(respond) => {
                let listener = plan.listener(name)?;
                servers.spawn(serve(listener, respond, acceptor(respond)?));
            }
            None => silent_sockets.push(plan.bound(name)?),
        }
    }
    plan.write(&arguments.ports_file)?;
    let ended = servers.join_next().await.context("there are no targets")?;
    drop::<Vec<Socket>>(silent_sockets);
    ended.context("a target panicked")?
}

fn acceptor(respond: Respond) -> Result<Option<TlsAcceptor>> {
    match respond {
        Respond::BehindExpiredCertificate => tls::acceptor_with_expired_certificate().map(Some),
        _ => Ok(None),
    }
}

/// Accepts for ever; what goes wrong on one connection is that connection's affair.
async fn serve(listener: TcpListener, respond: Respond, tls: Option<TlsAcceptor>) -> Result<()> {
    let counter = Arc::default();
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.context("cannot accept")?;
        while connections.try_join_next().is_some() {}
        connections.spawn(answer(stream, respond, tls.clone(), Arc::clone(&counter)));
    }
}

async fn answer(
    stream: TcpStream,
    respond: Respond,
    tls: Option<TlsAcceptor>,
    counter: Arc<respond::Counter>,
) {
    let answered = match tls {
        None => respond::answer(stream, respond, &counter).await,
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => respond::answer(stream, respond, &counter).await,
            Err(error) => Err(error),
        },
    };
    // A client that goes away in the middle is expected: most of these targets are made for it.
    drop(answered);
}

//! Opening the TCP connection: the candidates in turn, each a little after the one before it,
//! whichever answers first (happy eyeballs, RFC 8305).

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use monitor_core::{FailureKind, Phase};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::failure::{Failed, kind_of_io};

/// Head start of an address over the next one: the recommended default of RFC 8305, section 5.
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first of the candidates that answers.
pub(crate) async fn connect(candidates: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), Failed> {
    let mut waiting = candidates.iter().copied();
    let mut attempts = FuturesUnordered::new();
    let mut last = None;
    attempts.extend(waiting.next().map(attempt));
    while !attempts.is_empty() {
        tokio::select! {
            Some((address, result)) = attempts.next() => match result {
                Ok(stream) => return Ok((stream, address)),
                Err(error) => {
                    last = Some((address, error));
                    attempts.extend(waiting.next().map(attempt));
                }
            },
            () = sleep(HEAD_START), if waiting.len() > 0 => {
                attempts.extend(waiting.next().map(attempt));
            }
        }
    }
    Err(failed(last))
}

async fn attempt(address: SocketAddr) -> (SocketAddr, io::Result<TcpStream>) {
    let connecting = async {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    (address, connecting.await)
}

fn failed(last: Option<(SocketAddr, io::Error)>) -> Failed {
    let Some((address, error)) = last else {
        return Failed::new(
            FailureKind::DnsNotFound,
            Phase::Connect,
            "no address to connect to",
        );
    };
    let kind = kind_of_io(&error, FailureKind::HostUnreachable);
    Failed::new(
        kind,
        Phase::Connect,
        format!("cannot connect to {address}: {error}"),
    )
}

//! Opening the TCP connection: the candidates in turn, each a little after the one before it,
//! whichever answers first (happy eyeballs, RFC 8305).

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use monitor_core::{FailureKind, Outcome, Phase};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::failure::{Failed, kind_of_io};

/// Head start of an address over the next one: the recommended default of RFC 8305, section 5.
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first of the candidates that answers.
pub(crate) async fn connect(candidates: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), Failed> {
    if let [only] = candidates {
        // Nobody to race against.
        let (address, result) = attempt(*only).await;
        return match result {
            Ok(stream) => Ok((stream, address)),
            Err(error) => Err(failed(address, &error)),
        };
    }
    race(candidates).await
}

async fn race(candidates: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), Failed> {
    let mut waiting = candidates.iter().copied();
    let mut attempts = FuturesUnordered::new();
    let mut worst = None;
    attempts.extend(waiting.next().map(attempt));
    while !attempts.is_empty() {
        tokio::select! {
            Some((address, result)) = attempts.next() => match result {
                Ok(stream) => return Ok((stream, address)),
                Err(error) => {
                    worst = Some(more_telling(worst, failed(address, &error)));
                    attempts.extend(waiting.next().map(attempt));
                }
            },
            () = sleep(HEAD_START), if waiting.len() > 0 => {
                attempts.extend(waiting.next().map(attempt));
            }
        }
    }
    Err(worst.unwrap_or_else(|| {
        let detail = "no address to connect to";
        Failed::new(FailureKind::DnsNotFound, Phase::Connect, detail)
    }))
}

async fn attempt(address: SocketAddr) -> (SocketAddr, io::Result<TcpStream>) {
    let connecting = async {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    };
    (address, connecting.await)
}

/// The later of two failures, but one of ours only when both are: an address that no way leads to
/// from here says nothing about a site that has others.
fn more_telling(earlier: Option<Failed>, later: Failed) -> Failed {
    let ours = later.kind.fault().outcome() == Outcome::Error;
    match earlier {
        Some(earlier) if ours => earlier,
        _ => later,
    }
}

fn failed(address: SocketAddr, error: &io::Error) -> Failed {
    let kind = match kind_of_io(error, FailureKind::HostUnreachable) {
        FailureKind::CheckerResources => FailureKind::CheckerResources,
        _ if is_local(error, address) => FailureKind::CheckerNetwork,
        kind => kind,
    };
    let detail = format!("cannot connect to {address}: {error}");
    Failed::new(kind, Phase::Connect, detail)
}

/// Whether this error comes from our own side of the network: then it also meets a datagram socket,
/// which asks nobody when it is connected.
fn is_local(error: &io::Error, address: SocketAddr) -> bool {
    let from: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let without_asking = UdpSocket::bind(from).and_then(|socket| socket.connect(address));
    without_asking.is_err_and(|local| local.raw_os_error() == error.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(kind: FailureKind) -> Failed {
        Failed::new(kind, Phase::Connect, "")
    }

    #[test]
    fn a_way_that_is_missing_here_does_not_hide_what_is_wrong_with_the_site() {
        let (ours, theirs) = (FailureKind::CheckerNetwork, FailureKind::ConnectionRefused);
        for (earlier, later, told) in [
            (Some(ours), theirs, theirs),
            (Some(theirs), ours, theirs),
            (Some(ours), ours, ours),
            (None, ours, ours),
        ] {
            let found = more_telling(earlier.map(failure), failure(later));
            assert_eq!(found.kind, told, "{earlier:?}, then {later}");
        }
    }
}

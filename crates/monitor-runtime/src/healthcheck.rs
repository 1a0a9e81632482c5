//! The question that a container runtime asks, for images that have neither shell nor curl.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// For each of connecting, sending and receiving.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Longest answer that is read.
const MAX_ANSWER: u64 = 64 * 1024;

/// Asks the service that listens on `address` whether it is ready. A service that listens on every
/// address is asked on the loopback one.
///
/// # Errors
///
/// Says why the service is not ready, or why it could not be asked.
pub fn healthcheck(address: SocketAddr) -> Result<(), String> {
    if address.port() == 0 {
        return Err("OPS_LISTEN has port 0: give it a port, so that it can be found".to_owned());
    }
    let address = reachable(address);
    let answer = ask(address).map_err(|error| format!("cannot ask {address}: {error}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.split_whitespace().nth(1) {
        Some("200") => Ok(()),
        Some(_) => Err(body.to_owned()),
        None => Err(format!("{address} does not speak HTTP")),
    }
}

fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    // HTTP/1.0: the answer comes unchunked and ends with the connection.
    write!(stream, "GET /readyz HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer)?;
    Ok(answer)
}

fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_on_every_address_is_asked_on_loopback() {
        let check = |listen: &str, asked: &str| {
            assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap());
        };
        check("0.0.0.0:9100", "127.0.0.1:9100");
        check("[::]:9100", "[::1]:9100");
        check("10.0.0.7:9100", "10.0.0.7:9100");
    }

    #[test]
    fn a_port_that_cannot_be_known_is_explained() {
        assert!(
            healthcheck("127.0.0.1:0".parse().unwrap())
                .unwrap_err()
                .contains("OPS_LISTEN")
        );
    }
}

//! Addresses at which nobody answers.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

/// How long a loopback connection takes at most while there is room for it.
const ROOM: Duration = Duration::from_millis(100);

/// A port that nobody listens on, and that nobody else can take.
#[derive(Debug)]
pub struct ClosedPort {
    address: SocketAddr,
    _socket: TcpSocket,
}

impl ClosedPort {
    /// Takes a free port of 127.0.0.1.
    pub fn new() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = socket.local_addr()?;
        Ok(Self {
            address,
            _socket: socket,
        })
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A listener that accepts nobody, and has no room for those who wait.
#[derive(Debug)]
pub struct FullBacklog {
    address: SocketAddr,
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl FullBacklog {
    /// Fills the backlog of a listener on 127.0.0.1.
    pub async fn new() -> io::Result<Self> {
        Self::start((Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// Fills the backlog of a listener on this address; at any port, when it is 0.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }?;
        socket.bind(address)?;
        let listener = socket.listen(0)?;
        let address = listener.local_addr()?;
        let mut waiting = Vec::new();
        while let Ok(connected) = timeout(ROOM, TcpStream::connect(address)).await {
            waiting.push(connected?);
        }
        Ok(Self {
            address,
            _listener: listener,
            _waiting: waiting,
        })
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

//! A TCP server that plays scripts.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::script::{Script, Step};

/// Any port of 127.0.0.1.
const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Bytes that are read at once.
const PIECE: usize = 16 * 1024;

/// Most bytes of a request that are read.
const REQUEST_LIMIT: usize = 256 * 1024;

/// A listening server. The first connection gets the first script, and so on; the last script is
/// for all that follow.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    seen: Arc<Seen>,
    _tasks: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Seen {
    connections: AtomicUsize,
    open: watch::Sender<usize>,
    sent: watch::Sender<u64>,
    requests: Mutex<Vec<Vec<u8>>>,
}

/// How a connection ends.
enum Ending {
    Close,
    Abandon,
    Reset,
}

impl Server {
    /// A server in plain text on 127.0.0.1.
    pub async fn plain(scripts: impl IntoIterator<Item = Script>) -> io::Result<Self> {
        Self::start(ANY_PORT, None, scripts).await
    }

    /// A server behind TLS on 127.0.0.1.
    pub async fn tls(
        config: Arc<ServerConfig>,
        scripts: impl IntoIterator<Item = Script>,
    ) -> io::Result<Self> {
        Self::start(ANY_PORT, Some(config), scripts).await
    }

    /// A server on this address; at any port, when it is 0.
    pub async fn start(
        address: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
        scripts: impl IntoIterator<Item = Script>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let seen = Arc::<Seen>::default();
        let mut tasks = JoinSet::new();
        let scripts = scripts.into_iter().collect();
        tasks.spawn(accept(listener, tls, scripts, Arc::clone(&seen)));
        Ok(Self {
            address,
            seen,
            _tasks: tasks,
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

    /// A URL of it, by its address.
    #[must_use]
    pub fn url(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://{}{path}", self.address)
    }

    /// How many connections it has accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// Waits until this many connections are open.
    pub async fn until_open(&self, number: usize) {
        let mut open = self.seen.open.subscribe();
        // The sender lives as long as we do.
        drop(open.wait_for(|open| *open == number).await);
    }

    /// Waits until it got rid of some bytes.
    pub async fn until_sent(&self) {
        let mut sent = self.seen.sent.subscribe();
        drop(sent.wait_for(|sent| *sent > 0).await);
    }

    /// The requests that it has read, as text.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        let requests = self.seen.requests.lock();
        let requests = requests.unwrap_or_else(PoisonError::into_inner);
        let text = |request: &Vec<u8>| String::from_utf8_lossy(request).into_owned();
        requests.iter().map(text).collect()
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    scripts: Vec<Script>,
    seen: Arc<Seen>,
) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let number = seen.connections.fetch_add(1, Ordering::SeqCst);
        let script = scripts.get(number).or(scripts.last());
        let script = script.cloned().unwrap_or_default();
        let (tls, seen) = (tls.clone(), Arc::clone(&seen));
        seen.open.send_modify(|open| *open += 1);
        connections.spawn(async move {
            // A client that goes away is what many scripts wait for.
            drop(serve(stream, tls, &script, &seen).await);
            seen.open.send_modify(|open| *open -= 1);
        });
    }
}

async fn serve(
    mut stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    script: &Script,
    seen: &Seen,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let Some(tls) = tls else {
        let ending = play(&mut stream, script, seen).await?;
        return end(stream, ending).await;
    };
    let mut stream = TlsAcceptor::from(tls).accept(stream).await?;
    let ending = play(&mut stream, script, seen).await?;
    if matches!(ending, Ending::Close) {
        stream.shutdown().await?;
    }
    let (stream, _) = stream.into_inner();
    end(stream, ending).await
}

async fn end(mut stream: TcpStream, ending: Ending) -> io::Result<()> {
    if matches!(ending, Ending::Reset) {
        return stream.set_zero_linger();
    }
    // With bytes left unread, closing would be a reset.
    stream.shutdown().await?;
    wait_for_end(&mut stream).await
}

async fn play<S>(stream: &mut S, script: &Script, seen: &Seen) -> io::Result<Ending>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    for step in &script.0 {
        match step {
            Step::ReadAny => drop(stream.read_buf(&mut Vec::with_capacity(PIECE)).await?),
            Step::ReadRequest => {
                let request = read_request(stream).await?;
                let requests = seen.requests.lock();
                let mut requests = requests.unwrap_or_else(PoisonError::into_inner);
                requests.push(request);
            }
            Step::Send(bytes) => send(stream, bytes, seen).await?,
            Step::SendForever { piece, pause } => loop {
                send(stream, piece, seen).await?;
                if !pause.is_zero() {
                    sleep(*pause).await;
                }
            },
            Step::Pause(pause) => sleep(*pause).await,
            Step::WaitForEnd => wait_for_end(stream).await?,
            Step::Abandon => return Ok(Ending::Abandon),
            Step::Reset => return Ok(Ending::Reset),
        }
    }
    Ok(Ending::Close)
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8], seen: &Seen) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let written = stream.write(rest).await?;
        seen.sent.send_modify(|sent| *sent += written as u64);
        rest = &rest[written..];
    }
    stream.flush().await
}

async fn wait_for_end<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<()> {
    copy(stream, &mut sink()).await?;
    Ok(())
}

async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Vec<u8>> {
    let mut request = Vec::with_capacity(PIECE);
    while request.len() < REQUEST_LIMIT && !is_whole(&request) {
        if stream.read_buf(&mut request).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(request)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|(_, value)| value.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}

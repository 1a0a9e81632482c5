//! One connection through the proxy: two directions, each its own pump.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::sleep;

use super::{Shared, Traffic};

/// Most bytes that are passed on at once.
const PIECE: usize = 16 * 1024;
/// How many pieces a second limited traffic is cut into.
const PIECES_A_SECOND: u32 = 20;

/// Which way a pump goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Request,
    Answer,
}

/// Passes on what both sides say until both have said all, or the connection is to be reset.
pub(super) async fn run(mut client: TcpStream, number: u64, shared: Arc<Shared>) {
    let upstream = *shared
        .upstream
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let mut resets = shared.resets.subscribe();
    let connected = match upstream {
        Some(upstream) => TcpStream::connect(upstream).await,
        None => Err(io::ErrorKind::ConnectionRefused.into()),
    };
    let Ok(mut server) = connected else {
        abort(&client);
        return;
    };
    // Without it only latency differs.
    drop(client.set_nodelay(true).and(server.set_nodelay(true)));
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let pump = |direction| Pump::new(&shared, number, direction);
    let both = async {
        tokio::try_join!(
            pump(Direction::Request).run(from_client, to_server),
            pump(Direction::Answer).run(from_server, to_client),
        )
    };
    let whole = tokio::select! {
        ended = both => ended.is_ok(),
        _ = resets.changed() => false,
    };
    if !whole {
        abort(&client);
        abort(&server);
    }
}

/// Makes the end of this stream a reset.
fn abort(stream: &TcpStream) {
    // Whoever has reset it already needs no more.
    stream.set_zero_linger().ok();
}

struct Pump<'a> {
    shared: &'a Shared,
    number: u64,
    direction: Direction,
    traffic: watch::Receiver<Traffic>,
    /// Bytes passed on since the traffic was last changed.
    passed: u64,
}

impl<'a> Pump<'a> {
    fn new(shared: &'a Shared, number: u64, direction: Direction) -> Self {
        Self {
            shared,
            number,
            direction,
            traffic: shared.traffic.subscribe(),
            passed: 0,
        }
    }

    async fn run(mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> io::Result<()> {
        let mut buffer = vec![0; PIECE];
        loop {
            let size = self.piece();
            let read = tokio::select! {
                read = from.read(&mut buffer[..size]) => read,
                changed = self.traffic.changed() => {
                    // The sender is in what we borrow.
                    drop(changed);
                    self.begin()?;
                    continue;
                }
            };
            if self.traffic.has_changed().unwrap_or(false) {
                self.traffic.mark_unchanged();
                self.begin()?;
            }
            if self.is_lost() {
                // An end is swallowed as well. Reading on would only find it again.
                if !matches!(read, Ok(1..)) {
                    std::future::pending::<()>().await;
                }
                continue;
            }
            match read? {
                0 => return to.shutdown().await,
                length => self.pass(&buffer[..length], &mut to).await?,
            }
        }
    }

    fn now(&self) -> Traffic {
        *self.traffic.borrow()
    }

    /// The traffic was changed.
    fn begin(&mut self) -> io::Result<()> {
        self.passed = 0;
        match self.now() {
            Traffic::Refused => Err(io::ErrorKind::ConnectionReset.into()),
            _ => Ok(()),
        }
    }

    fn is_lost(&self) -> bool {
        self.now() == Traffic::Swallowed || self.number < self.shared.lost.load(Ordering::SeqCst)
    }

    fn piece(&self) -> usize {
        match self.now() {
            Traffic::Limited(rate) => {
                let piece = usize::try_from(rate / PIECES_A_SECOND).unwrap_or(PIECE);
                piece.clamp(1, PIECE)
            }
            _ => PIECE,
        }
    }

    async fn pass(&mut self, piece: &[u8], to: &mut WriteHalf<'_>) -> io::Result<()> {
        let (now, length) = (self.now(), piece.len() as u64);
        match now {
            Traffic::Delayed(delay) => sleep(delay).await,
            Traffic::Limited(_) => sleep(Duration::from_secs(1) / PIECES_A_SECOND).await,
            _ => {}
        }
        let allowed = match (now, self.direction) {
            (Traffic::RequestsCutAfter(bytes), Direction::Request)
            | (Traffic::AnswersCutAfter(bytes), Direction::Answer) => {
                bytes.saturating_sub(self.passed).min(length)
            }
            _ => length,
        };
        let passed = usize::try_from(allowed).unwrap_or(piece.len());
        self.passed += allowed;
        // First, so that whoever has received it finds it counted.
        self.counter().fetch_add(allowed, Ordering::SeqCst);
        to.write_all(&piece[..passed]).await?;
        if allowed < length {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }

    fn counter(&self) -> &AtomicU64 {
        match self.direction {
            Direction::Request => &self.shared.requested,
            Direction::Answer => &self.shared.answered,
        }
    }
}

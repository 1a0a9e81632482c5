//! A name server, over UDP and TCP on one port.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use hickory_proto::op::{Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::{RData, Record, RecordType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;

/// How a name server answers for a name.
#[derive(Clone, Debug)]
pub enum Answer {
    /// With these addresses; with no record when none is of the family that is asked for.
    Addresses(Vec<IpAddr>),
    /// With the first list, then the second, and so on; the last one stays.
    InTurn(Vec<Vec<IpAddr>>),
    /// With these IPv4 addresses; not at all when IPv6 ones are asked for.
    OnlyV4(Vec<Ipv4Addr>),
    /// With this code and nothing else.
    Code(ResponseCode),
    /// Not at all.
    Silence,
    /// With bytes that are no message.
    Garbage,
    /// With these addresses, and then with some bytes of the answer replaced, by their positions.
    Damaged(Vec<IpAddr>, Vec<(usize, u8)>),
}

/// The names that a server knows; all others do not exist.
#[derive(Clone, Debug, Default)]
pub struct Zone(HashMap<String, Answer>);

impl Zone {
    /// A zone without names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a name.
    #[must_use]
    pub fn name(mut self, name: &str, answer: Answer) -> Self {
        self.0.insert(name.to_owned(), answer);
        self
    }

    /// Adds a name with these addresses.
    #[must_use]
    pub fn addresses(self, name: &str, addresses: &[IpAddr]) -> Self {
        self.name(name, Answer::Addresses(addresses.to_vec()))
    }
}

/// A running name server.
#[derive(Debug)]
pub struct DnsServer {
    address: SocketAddr,
    state: Arc<State>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct State {
    zone: Zone,
    asked: Mutex<HashMap<(String, RecordType), usize>>,
}

impl DnsServer {
    /// Serves a zone on 127.0.0.1.
    pub async fn start(zone: Zone) -> io::Result<Self> {
        let (udp, tcp) = sockets().await?;
        let address = tcp.local_addr()?;
        let asked = Mutex::default();
        let state = Arc::new(State { zone, asked });
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_udp(udp, Arc::clone(&state)));
        tasks.spawn(serve_tcp(tcp, Arc::clone(&state)));
        Ok(Self {
            address,
            state,
            _tasks: tasks,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often it was asked for the IPv4 addresses of a name.
    #[must_use]
    pub fn asked(&self, name: &str) -> usize {
        let asked = self.state.asked.lock();
        let asked = asked.unwrap_or_else(PoisonError::into_inner);
        let count = asked.get(&(name.to_owned(), RecordType::A));
        count.copied().unwrap_or(0)
    }
}

/// Most ports that are tried, until one is free for both protocols.
const TRIES: usize = 50;

/// Longest answer over UDP, in bytes.
const MAX_DATAGRAM: usize = 512;

async fn sockets() -> io::Result<(UdpSocket, TcpListener)> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..TRIES {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        match UdpSocket::bind(tcp.local_addr()?).await {
            Ok(udp) => return Ok((udp, tcp)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn serve_udp(socket: UdpSocket, state: Arc<State>) {
    let mut buffer = [0; 4096];
    loop {
        // An error tells of an earlier answer that nobody waited for.
        let Ok((length, client)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        if let Some(answer) = state.answer(&buffer[..length]).and_then(fitting) {
            drop(socket.send_to(&answer, client).await);
        }
    }
}

/// What is too long for a datagram is to be asked for over TCP.
fn fitting(answer: Vec<u8>) -> Option<Vec<u8>> {
    if answer.len() <= MAX_DATAGRAM {
        return Some(answer);
    }
    let whole = Message::from_vec(&answer).ok()?;
    whole.truncate().to_vec().ok()
}

async fn serve_tcp(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        connections.spawn(async move { drop(serve_stream(stream, &state).await) });
    }
}

async fn serve_stream(mut stream: TcpStream, state: &State) -> io::Result<()> {
    loop {
        let length = stream.read_u16().await?;
        let mut query = vec![0; length.into()];
        stream.read_exact(&mut query).await?;
        if let Some(answer) = state.answer(&query) {
            let length = u16::try_from(answer.len()).unwrap_or(u16::MAX);
            stream.write_u16(length).await?;
            stream.write_all(&answer).await?;
        }
    }
}

impl State {
    fn answer(&self, query: &[u8]) -> Option<Vec<u8>> {
        let query = Message::from_vec(query).ok()?;
        let asked = query.queries.first()?;
        let name = asked.name.to_ascii().trim_end_matches('.').to_lowercase();
        let turn = self.count(&name, asked.query_type);
        let mut answer = Message::new(
            query.metadata.id,
            MessageType::Response,
            query.metadata.op_code,
        );
        answer.metadata.recursion_available = true;
        answer.add_query(asked.clone());
        match self.zone.0.get(&name) {
            None => answer.metadata.response_code = ResponseCode::NXDomain,
            Some(Answer::Code(code)) => answer.metadata.response_code = *code,
            Some(Answer::Addresses(addresses)) => {
                answer.add_answers(records(asked, addresses));
            }
            Some(Answer::InTurn(lists)) => {
                let addresses = lists.get(turn).or(lists.last())?;
                answer.add_answers(records(asked, addresses));
            }
            Some(Answer::OnlyV4(_)) if asked.query_type != RecordType::A => return None,
            Some(Answer::OnlyV4(addresses)) => {
                let addresses: Vec<_> = addresses.iter().copied().map(IpAddr::V4).collect();
                answer.add_answers(records(asked, &addresses));
            }
            Some(Answer::Silence) => return None,
            Some(Answer::Garbage) => return Some(vec![0xff; 7]),
            Some(Answer::Damaged(addresses, changes)) => {
                answer.add_answers(records(asked, addresses));
                return Some(damaged(answer.to_vec().ok()?, changes));
            }
        }
        answer.to_vec().ok()
    }

    /// How often this was asked before.
    fn count(&self, name: &str, kind: RecordType) -> usize {
        let asked = self.asked.lock();
        let mut asked = asked.unwrap_or_else(PoisonError::into_inner);
        let count = asked.entry((name.to_owned(), kind)).or_default();
        *count += 1;
        *count - 1
    }
}

fn damaged(mut answer: Vec<u8>, changes: &[(usize, u8)]) -> Vec<u8> {
    for (position, byte) in changes {
        if let Some(place) = answer.get_mut(*position) {
            *place = *byte;
        }
    }
    answer
}

/// Without a lifetime, so that each question is asked anew.
fn records(query: &Query, addresses: &[IpAddr]) -> Vec<Record> {
    let data = addresses.iter().filter_map(|address| match address {
        IpAddr::V4(address) if query.query_type == RecordType::A => {
            Some(RData::A((*address).into()))
        }
        IpAddr::V6(address) if query.query_type == RecordType::AAAA => {
            Some(RData::AAAA((*address).into()))
        }
        _ => None,
    });
    data.map(|data| Record::from_rdata(query.name.clone(), 0, data))
        .collect()
}

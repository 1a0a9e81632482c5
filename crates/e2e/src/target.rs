//! A web server that answers as told.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// What a path answers with.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Body.
    pub body: String,
}

impl Answer {
    /// `200 OK` and a body.
    #[must_use]
    pub fn ok(body: &str) -> Self {
        Self {
            status: 200,
            body: body.to_owned(),
        }
    }

    /// A status without a body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self {
            status,
            body: String::new(),
        }
    }
}

type Hits = Arc<Mutex<HashMap<String, usize>>>;

/// A web server on a free loopback port. Paths that it was not told about answer 404.
pub struct Target {
    address: SocketAddr,
    hits: Hits,
    silent: Arc<AtomicBool>,
}

impl Target {
    /// Starts a server with an answer for each path.
    pub fn start(answers: &[(&str, Answer)]) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let answers: HashMap<String, Answer> = answers
            .iter()
            .map(|(path, answer)| ((*path).to_owned(), answer.clone()))
            .collect();
        let (answers, hits) = (Arc::new(answers), Hits::default());
        let counted = Arc::clone(&hits);
        let silent = Arc::new(AtomicBool::new(false));
        let is_silent = Arc::clone(&silent);
        thread::spawn(move || {
            let mut unanswered = Vec::new();
            for stream in listener.incoming().flatten() {
                if is_silent.load(Ordering::Relaxed) {
                    unanswered.push(stream);
                    continue;
                }
                let (answers, hits) = (Arc::clone(&answers), Arc::clone(&counted));
                thread::spawn(move || serve(stream, &answers, &hits));
            }
        });
        Ok(Self {
            address,
            hits,
            silent,
        })
    }

    /// From now on, takes connections and never answers; or answers again.
    pub fn set_silent(&self, silent: bool) {
        self.silent.store(silent, Ordering::Relaxed);
    }

    /// URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How often a path was asked for.
    #[must_use]
    pub fn hits(&self, path: &str) -> usize {
        let hits = self.hits.lock().unwrap_or_else(PoisonError::into_inner);
        hits.get(path).copied().unwrap_or(0)
    }
}

/// Answers one request. The checker may hang up at any point, which is its right.
fn serve(stream: TcpStream, answers: &HashMap<String, Answer>, hits: &Hits) {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        request.push_str(&line);
        line.clear();
    }
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let answer = answers
        .get(&path)
        .cloned()
        .unwrap_or_else(|| Answer::status(404));
    *hits
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry(path)
        .or_default() += 1;
    let Answer { status, body } = answer;
    let length = body.len();
    write!(
        reader.get_mut(),
        "HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .ok();
}

//! How a target answers one request.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufStream};
use tokio::time::sleep;

const LATE: Duration = Duration::from_millis(1500);
const REQUEST_LIMIT: usize = 64 * 1024;
const TEXT: &str = "Everything is fine.\n";

/// Requests that a target has answered.
pub(crate) type Counter = AtomicU64;

/// A way of answering.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Respond {
    Well,
    /// Well, after 1.5 s.
    Late,
    /// Every third answer is a 503.
    SometimesUnavailable,
    NotFound,
    /// A 200 with a text that nobody expects.
    OtherContent,
    /// To its own path `/here`, which answers well.
    Elsewhere,
    /// Takes the request and says nothing.
    Never,
    BehindExpiredCertificate,
}

/// Reads one request, answers it and closes the connection.
pub(crate) async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    respond: Respond,
    counter: &Counter,
) -> io::Result<()> {
    // Byte by byte is slow on a socket.
    let mut stream = BufStream::new(stream);
    let request = read_head(&mut stream).await?;
    let count = counter.fetch_add(1, Ordering::Relaxed) + 1;
    let response = match respond {
        Respond::Late => {
            sleep(LATE).await;
            ok(TEXT)
        }
        Respond::SometimesUnavailable if count.is_multiple_of(3) => {
            message("503 Service Unavailable", "", "Try again.\n")
        }
        Respond::Well | Respond::SometimesUnavailable | Respond::BehindExpiredCertificate => {
            ok(TEXT)
        }
        Respond::NotFound => message("404 Not Found", "", "There is nothing here.\n"),
        Respond::OtherContent => ok("Closed for maintenance.\n"),
        Respond::Elsewhere if request.contains(" /here ") => ok(TEXT),
        Respond::Elsewhere => message("302 Found", "Location: /here\r\n", ""),
        // Until the client gives up.
        Respond::Never => return stream.read_u8().await.map(drop),
    };
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await
}

/// The request without its body, which no target cares about.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == REQUEST_LIMIT {
            return Err(io::Error::other("the request is too long"));
        }
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn ok(text: &str) -> String {
    message("200 OK", "", text)
}

fn message(status: &str, headers: &str, text: &str) -> String {
    let length = text.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n{headers}Connection: close\r\n\r\n{text}"
    )
}

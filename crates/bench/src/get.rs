//! The smallest HTTP client, for numbers that other programs tell.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

/// A loopback server that takes longer has other trouble.
const TIMEOUT: Duration = Duration::from_secs(10);
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// The body at `path` of a server on this machine.
pub(crate) fn get(port: u16, path: &str) -> Result<String> {
    let answer = ask(port, path, "").and_then(|body| Ok(String::from_utf8(body)?));
    answer.with_context(|| format!("cannot get {path} from 127.0.0.1:{port}"))
}

/// The length of the compressed body at `path`, as browsers ask for it.
pub(crate) fn get_compressed(port: u16, path: &str) -> Result<usize> {
    let encoding = "Accept-Encoding: gzip\r\n";
    let answer = ask(port, path, encoding).map(|body| body.len());
    answer.with_context(|| format!("cannot get {path} from 127.0.0.1:{port}"))
}

fn ask(port: u16, path: &str, headers: &str) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    // HTTP/1.0: the answer comes unchunked and ends with the connection.
    write!(
        stream,
        "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n{headers}\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let mut places = answer.windows(END_OF_HEAD.len());
    let end = places
        .position(|bytes| bytes == END_OF_HEAD)
        .context("no body")?;
    let body = answer.split_off(end + END_OF_HEAD.len());
    let head = String::from_utf8_lossy(&answer);
    match head.split_whitespace().nth(1) {
        Some("200") => Ok(body),
        _ => bail!("{}", head.lines().next().unwrap_or_default()),
    }
}

/// A number of a `/metrics` page, by its name with its labels.
pub(crate) fn metric(page: &str, name: &str) -> Option<f64> {
    let mut lines = page.lines().filter_map(|line| line.strip_prefix(name));
    lines.find_map(|line| line.strip_prefix(' ')?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_found_by_its_whole_name() {
        let page = "# TYPE checker_sites gauge\nchecker_sites_old 3\nchecker_sites 2000\n";
        assert_eq!(metric(page, "checker_sites"), Some(2000.0));
        assert_eq!(metric(page, "checker"), None);
    }
}

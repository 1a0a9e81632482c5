//! Reading the body: decoded, and never more of it than the site allows.

use std::io;

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder};
use futures_util::TryStreamExt as _;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use monitor_core::{FailureKind, Phase};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _};
use tokio_util::io::StreamReader;

use crate::exchange::io_cause;
use crate::failure::{Failed, kind_of_io};

/// A body, or as much of it as was allowed.
#[derive(Debug)]
pub(crate) struct Body {
    /// Its decoded bytes.
    pub(crate) bytes: Vec<u8>,
    /// Whether there was more.
    pub(crate) truncated: bool,
}

/// Reads at most `limit` decoded bytes, and looks whether there would be one more.
pub(crate) async fn read(
    headers: &HeaderMap,
    incoming: Incoming,
    limit: u64,
) -> Result<Body, Failed> {
    let frames = incoming.into_data_stream().map_err(io::Error::other);
    let mut encoded = StreamReader::new(frames);
    // Where there is no body, as for HEAD, its encoding is that of another response.
    let start = encoded.fill_buf().await.map_err(|error| failed(&error))?;
    if start.is_empty() {
        return Ok(Body {
            bytes: Vec::new(),
            truncated: false,
        });
    }
    let mut decoded = decoder(headers, encoded)?;
    let mut bytes = Vec::new();
    let limited = (&mut decoded)
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .await;
    limited.map_err(|error| failed(&error))?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let truncated = bytes.len() > limit;
    bytes.truncate(limit);
    Ok(Body { bytes, truncated })
}

type Reader = Box<dyn AsyncRead + Send + Unpin>;

fn decoder(
    headers: &HeaderMap,
    body: impl AsyncBufRead + Send + Unpin + 'static,
) -> Result<Reader, Failed> {
    let encoding = headers
        .get(CONTENT_ENCODING)
        .map_or(&b"identity"[..], |value| value.as_bytes());
    let encoding = String::from_utf8_lossy(encoding)
        .trim()
        .to_ascii_lowercase();
    match encoding.as_str() {
        "identity" | "" => Ok(Box::new(body)),
        "gzip" | "x-gzip" => Ok(Box::new(GzipDecoder::new(body))),
        "br" => Ok(Box::new(BrotliDecoder::new(body))),
        "deflate" => Ok(Box::new(ZlibDecoder::new(body))),
        other => {
            let detail = format!("content encoding {other:?} was not asked for");
            Err(Failed::new(FailureKind::BodyDecode, Phase::Body, detail))
        }
    }
}

/// Errors of the connection arrive wrapped; those of a decoder are its own.
fn failed(error: &io::Error) -> Failed {
    let wrapped = error.get_ref();
    let Some(error) = wrapped.and_then(|inner| inner.downcast_ref::<hyper::Error>()) else {
        let detail = format!("the body cannot be decoded: {error}");
        return Failed::new(FailureKind::BodyDecode, Phase::Body, detail);
    };
    let Some(cause) = io_cause(error) else {
        let detail = format!("the body broke off: {error}");
        return Failed::new(FailureKind::BodyIncomplete, Phase::Body, detail);
    };
    let kind = kind_of_connection(cause);
    let detail = match (kind, cause.kind()) {
        (FailureKind::ProtocolError, _) => format!("the body breaks the rules of HTTP: {cause}"),
        (_, io::ErrorKind::UnexpectedEof) => "the connection ended within the body".to_owned(),
        _ => format!("the body broke off: {cause}"),
    };
    Failed::new(kind, Phase::Body, detail)
}

fn kind_of_connection(error: &io::Error) -> FailureKind {
    match error.kind() {
        // Sizes of chunks that are none, and whatever else surrounds them.
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => FailureKind::ProtocolError,
        _ => kind_of_io(error, FailureKind::BodyIncomplete),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;
    use tokio::runtime::Builder;

    use super::*;

    /// Most that the tests decode.
    const LIMIT: u64 = 64 * 1024;

    /// What bodies of some encodings begin with.
    const STARTS: &[&[u8]] = &[b"", b"\x1f\x8b\x08\0\0\0\0\0\0\x03", b"\x78\x9c"];

    async fn decoded(encoding: &str, bytes: Vec<u8>) -> Option<Vec<u8>> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_str(encoding).unwrap());
        let body = decoder(&headers, io::Cursor::new(bytes)).ok()?;
        let mut decoded = Vec::new();
        body.take(LIMIT).read_to_end(&mut decoded).await.ok()?;
        Some(decoded)
    }

    proptest! {
        #[test]
        fn whatever_an_encoding_is_made_of_decoding_it_ends(
            encoding in "gzip|br|deflate|identity|[ -~]{0,20}",
            start in proptest::sample::select(STARTS),
            rest in proptest::collection::vec(any::<u8>(), 0..500),
        ) {
            let runtime = Builder::new_current_thread().build().unwrap();
            let found = runtime.block_on(decoded(&encoding, [start, &rest].concat()));
            prop_assert!(found.is_none_or(|bytes| bytes.len() as u64 <= LIMIT));
        }
    }
}

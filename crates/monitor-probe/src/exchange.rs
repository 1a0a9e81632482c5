//! Request and response head over a connection that the check itself drives.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::rt::Executor;
use hyper_util::rt::TokioIo;
use monitor_core::{FailureKind, Phase};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

use crate::failure::{Failed, kind_of_io};
use crate::unfinished::Unfinished;

/// Largest response head, in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// A connection that makes progress only while somebody waits for something over it.
pub(crate) struct Connection(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Connection {
    /// Waits for `work`, driving the connection meanwhile.
    pub(crate) async fn drive<F: Future>(&mut self, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_fn(|context| {
            if let Poll::Ready(done) = work.as_mut().poll(context) {
                return Poll::Ready(done);
            }
            let Some(connection) = &mut self.0 else {
                return Poll::Pending;
            };
            if connection.as_mut().poll(context).is_ready() {
                self.0 = None;
            }
            // The connection may just have brought what is waited for.
            work.as_mut().poll(context)
        })
        .await
    }
}

/// Sends a request and waits for the head of the response. The body is read over the returned
/// connection.
pub(crate) async fn exchange<S>(
    stream: S,
    http2: bool,
    request: Box<Request<Full<Bytes>>>,
) -> Result<(Response<Incoming>, Connection), Failed>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let sent = if http2 {
        // On the heap, so that checks over HTTP/1.1 have no room for it.
        Box::pin(over_http2(stream, request)).await
    } else {
        over_http1(stream, request).await
    };
    sent.map_err(|error| failed(&error))
}

async fn over_http1<S>(
    stream: S,
    request: Box<Request<Full<Bytes>>>,
) -> hyper::Result<(Response<Incoming>, Connection)>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    // More than a hundred headers are refused already: to say so would move them to the heap.
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .handshake(TokioIo::new(Unfinished(stream)))
        .await?;
    // How it ends shows in what is waited for.
    let mut connection = Connection(Some(Box::pin(async move { drop(connection.await) })));
    let response = connection.drive(sender.send_request(*request)).await?;
    Ok((response, connection))
}

async fn over_http2<S>(
    stream: S,
    request: Box<Request<Full<Bytes>>>,
) -> hyper::Result<(Response<Incoming>, Connection)>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let tasks = Tasks::default();
    let (mut sender, connection) = http2::Builder::new(tasks.clone())
        .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
        .handshake(TokioIo::new(stream))
        .await?;
    let driving = async move {
        drop(connection.await);
        drop(tasks);
    };
    let mut connection = Connection(Some(Box::pin(driving)));
    let response = connection.drive(sender.send_request(*request)).await?;
    // The request is whole; its sender must stay until the body has been read.
    let Connection(rest) = connection;
    let keep = async move {
        let _sender = sender;
        if let Some(rest) = rest {
            rest.await;
        }
    };
    Ok((response, Connection(Some(Box::pin(keep)))))
}

/// Runs what hyper wants to run beside an HTTP/2 connection, and ends it together with the check.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl<F> Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, task: F) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.spawn(async move { drop(task.await) });
    }
}

fn failed(error: &hyper::Error) -> Failed {
    if let Some(refusal) = refusal_of_tls(error) {
        return Failed::new(FailureKind::TlsHandshake, Phase::Tls, refusal);
    }
    let mut detail = format!("no response: {error}");
    match std::error::Error::source(error) {
        // rustls has a whole paragraph to say here, for people who write programs.
        Some(_) if ends_early(error) => detail.push_str(": the connection has ended"),
        Some(source) => detail = format!("{detail}: {source}"),
        None => {}
    }
    Failed::new(kind_of(error), Phase::FirstByte, detail)
}

/// With TLS 1.3 the handshake has ended here before it has there: that the server does not like our
/// certificate, or that we have none, comes in place of the response.
fn refusal_of_tls(error: &hyper::Error) -> Option<String> {
    let inner = io_cause(error)?.get_ref()?;
    match inner.downcast_ref::<rustls::Error>()? {
        rustls::Error::AlertReceived(alert) => {
            Some(format!("the server broke the TLS session off: {alert:?}"))
        }
        _ => None,
    }
}

fn ends_early(error: &hyper::Error) -> bool {
    io_cause(error).is_some_and(|io| io.kind() == std::io::ErrorKind::UnexpectedEof)
}

fn kind_of(error: &hyper::Error) -> FailureKind {
    if error.is_parse_too_large() {
        return FailureKind::HeaderTooLarge;
    }
    if error.is_parse() || speaks_first(error) {
        return FailureKind::ProtocolError;
    }
    if let Some(error) = io_cause(error) {
        return kind_of_io(error, FailureKind::NoResponse);
    }
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return FailureKind::NoResponse;
    }
    FailureKind::ProtocolError
}

/// Whether the connection was given up for what the server sent before it was asked: the request is
/// then cancelled, for a reason that is no end of the connection.
fn speaks_first(error: &hyper::Error) -> bool {
    let source = std::error::Error::source(error);
    let reason = source.and_then(|source| source.downcast_ref::<hyper::Error>());
    let ended = |reason: &hyper::Error| {
        reason.is_closed() || reason.is_canceled() || reason.is_incomplete_message()
    };
    error.is_canceled() && io_cause(error).is_none() && reason.is_some_and(|reason| !ended(reason))
}

/// The input/output error at the root of another one.
pub(crate) fn io_cause<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a std::io::Error> {
    let mut causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.find_map(|cause| cause.downcast_ref())
}

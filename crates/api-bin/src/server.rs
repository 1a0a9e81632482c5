//! Letting clients in, and out again.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use monitor_runtime::CancellationToken;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tower::ServiceExt as _;

use crate::auth::Peer;

/// Longest time that a client may take to send the head of a request, or be idle between two.
const HEAD_TIMEOUT: Duration = Duration::from_mins(1);
/// Most bytes of a head.
const MAX_HEAD: usize = 64 * 1024;
/// Pause after the system could not accept a client: probably it has no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves clients, at most so many at a time, until `stop`; then lets every request that has begun
/// end. To stop waiting for them is to drop the future.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    most: usize,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let room = Arc::new(Semaphore::new(most));
    let drain = GracefulShutdown::new();
    let mut clients = JoinSet::new();
    while let Some(accepted) = stop.run_until_cancelled(accept(&listener, &room)).await {
        while clients.try_join_next().is_some() {}
        match accepted {
            Ok((client, peer, place)) => {
                clients.spawn(attend(client, peer, router.clone(), drain.watcher(), place));
            }
            Err(error) => {
                tracing::warn!("cannot accept a client: {error}");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    drain.shutdown().await;
    Ok(())
}

/// The next client, once there is room for it.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, Peer, OwnedSemaphorePermit)> {
    let place = Arc::clone(room)
        .acquire_owned()
        .await
        .map_err(std::io::Error::other)?;
    let (client, peer) = listener.accept().await?;
    Ok((client, Peer(peer), place))
}

async fn attend(
    client: TcpStream,
    peer: Peer,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
    _place: OwnedSemaphorePermit,
) {
    if client.set_nodelay(true).is_err() {
        return;
    }
    let service = router.map_request(move |mut request: Request<_>| {
        request.extensions_mut().insert(peer);
        request
    });
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD);
    let connection =
        builder.serve_connection(TokioIo::new(client), TowerToHyperService::new(service));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(peer = %peer.0, "a connection broke: {error}");
    }
}

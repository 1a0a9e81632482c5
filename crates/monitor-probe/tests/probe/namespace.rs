//! Checks in a network of their own.

use tokio::runtime::Builder;
use tokio::task::spawn_blocking;

/// Runs `work` in a network that `setup` builds; see [`test_servers::network`].
pub(crate) async fn in_network<T, F>(setup: &'static str, work: F) -> anyhow::Result<T>
where
    T: Send + 'static,
    F: AsyncFnOnce() -> T + Send + 'static,
{
    // One thread: others would stand in the network that all share.
    let alone = move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(work())
    };
    spawn_blocking(move || test_servers::network::inside(setup, alone)).await?
}

//! The certificate revocation lists of the configuration, followed as their files change.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use chrono::Utc;
use monitor_config::Problem;
use monitor_probe::RevocationLists;
use monitor_runtime::CancellationToken;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// How often to look whether a file has changed.
const POLL: Duration = Duration::from_secs(10);

/// What keeps these files from being used.
pub(crate) fn problems(files: &[PathBuf]) -> Vec<Problem> {
    let errors = RevocationLists::read(files).err().unwrap_or_default();
    let problem = |error| Problem::new("CHECKER_CRL_FILES", error);
    errors.into_iter().map(problem).collect()
}

/// Reads the lists of files that have been found to be good.
pub(crate) fn read(files: &[PathBuf]) -> anyhow::Result<RevocationLists> {
    RevocationLists::read(files).map_err(|errors| {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        anyhow!("revocation lists went bad: {}", errors.join("; "))
    })
}

/// Reads the lists again whenever a file has changed. While they cannot be used, the last ones are.
pub(crate) async fn follow(lists: RevocationLists, stop: CancellationToken) -> anyhow::Result<()> {
    tell(&lists);
    while stop.run_until_cancelled(sleep(POLL)).await.is_some() {
        let changed = lists.clone();
        // Lists can be large.
        let rereading = spawn_blocking(move || changed.reread());
        match rereading
            .await
            .context("reading revocation lists panicked")?
        {
            Ok(true) => tell(&lists),
            Ok(false) => {}
            Err(errors) => {
                for error in errors {
                    tracing::warn!("{error}; going on with the revocation lists as last read");
                }
            }
        }
    }
    Ok(())
}

fn tell(lists: &RevocationLists) {
    if !lists.is_empty() {
        tracing::info!(lists = lists.len(), "certificate revocation lists read");
    }
    let outdated = lists.outdated(Utc::now());
    if outdated > 0 {
        tracing::warn!(
            lists = outdated,
            "certificate revocation lists should have been replaced by now: what they revoke stays \
             revoked, but what was revoked since is not known"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use test_servers::Authority;
    use tokio::task::JoinSet;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn changed_files_are_followed_and_bad_ones_change_nothing() {
        let list = Authority::root().unwrap().revocation_list(&[]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &str| fs::write(folder.path().join("list"), text).unwrap();
        write(&list);
        let lists = read(&[folder.path().to_owned()]).unwrap();
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(follow(lists.clone(), stop.clone()));
        write(&format!("{list}{list}"));
        sleep(2 * POLL).await;
        assert_eq!(lists.len(), 2);
        write("no list");
        sleep(2 * POLL).await;
        assert_eq!(lists.len(), 2);
        write(&list);
        sleep(2 * POLL).await;
        assert_eq!(lists.len(), 1);
        stop.cancel();
        tasks.join_next().await.unwrap().unwrap().unwrap();
    }
}

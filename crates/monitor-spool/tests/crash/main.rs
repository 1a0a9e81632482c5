//! A process that is killed at any moment, or runs out of disk, has lost nothing that it had
//! acknowledged.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};

use anyhow::{Context as _, ensure};
use monitor_spool::{Limits, Most, Opened, Spool};

const KILLS: u64 = 30;
/// Records that are not deleted.
const KEPT: u64 = 100;
const APPENDER: &str = env!("CARGO_BIN_EXE_spool-appender");
/// A file that grows beyond a size, as on a disk that is full: writing fails, no signal comes.
const ON_A_SMALL_DISK: &str = r#"trap "" XFSZ; ulimit -f 2000; exec "$0" "$@""#;
const NO_LIMITS: Limits = Limits {
    bytes: u64::MAX,
    records: u64::MAX,
};

fn arguments(path: &Path, seed: u64, kept: u64) -> [String; 3] {
    [
        path.to_string_lossy().into_owned(),
        seed.to_string(),
        kept.to_string(),
    ]
}

/// The last number of all that were acknowledged before the end.
fn last(lines: Lines<BufReader<ChildStdout>>) -> anyhow::Result<Option<u64>> {
    let mut last = None;
    for line in lines {
        last = Some(line?.parse()?);
    }
    Ok(last)
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill_at_any_moment() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("spool");
    for seed in 0..KILLS {
        let mut child = Command::new(APPENDER)
            .args(arguments(&path, seed, KEPT))
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        // Somewhere in the middle of a commit: the next ones follow without a pause.
        for _ in 0..=seed % 7 {
            lines.next().context("it has ended by itself")??;
        }
        std::thread::sleep(std::time::Duration::from_micros(fastrand::u64(0..4000)));
        child.kill()?;
        child.wait()?;
        let acknowledged = last(lines)?;

        check(&path, acknowledged, KEPT)?;
    }
    Ok(())
}

#[test]
fn what_was_acknowledged_is_there_after_the_disk_was_full() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("spool");
    for seed in 0..3 {
        let ended = Command::new("sh")
            .args(["-c", ON_A_SMALL_DISK, APPENDER])
            .args(arguments(&path, seed, u64::MAX))
            .output()?;
        let error = String::from_utf8_lossy(&ended.stderr);
        ensure!(ended.status.code() == Some(1), "{}: {error}", ended.status);
        ensure!(error.contains("Unusable"), "{error}");
        let acknowledged = String::from_utf8(ended.stdout)?;
        let acknowledged = acknowledged.lines().last().map(str::parse).transpose()?;
        ensure!(seed > 0 || acknowledged.is_some(), "nothing fits at all");
        check(&path, acknowledged, u64::MAX)?;
    }
    Ok(())
}

fn check(path: &Path, acknowledged: Option<u64>, kept: u64) -> anyhow::Result<()> {
    let Opened {
        mut spool,
        set_aside,
    } = Spool::open(path, NO_LIMITS)?;
    ensure!(set_aside.is_none(), "{set_aside:?}");
    let next = spool.next_sequence();
    ensure!(
        acknowledged.is_none_or(|acknowledged| next >= acknowledged),
        "acknowledged up to {acknowledged:?}, there up to {next}"
    );
    ensure!(
        spool.watermark() == Some(next.cast_signed()),
        "{:?}",
        spool.watermark()
    );
    let most = Most {
        records: usize::MAX,
        bytes: u64::MAX,
    };
    let records = spool.read(0, most)?;
    let numbers: Vec<_> = records.iter().map(|record| record.sequence).collect();
    let expected: Vec<_> = (next.saturating_sub(kept)..next).collect();
    ensure!(numbers == expected, "{numbers:?} instead of {expected:?}");
    for record in &records {
        let whole = record.bytes.len() as u64 == 1 + record.sequence % 700
            && record
                .bytes
                .iter()
                .all(|byte| *byte == record.sequence.to_le_bytes()[0]);
        ensure!(whole, "record {} is not whole", record.sequence);
    }
    let bytes: u64 = records.iter().map(monitor_spool::Record::size).sum();
    ensure!(spool.depth().bytes == bytes && spool.depth().records == records.len() as u64);
    Ok(())
}

//! A process that is killed at any moment has lost nothing that it had acknowledged.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context as _, ensure};
use monitor_spool::{Limits, Most, Spool};

const KILLS: u64 = 30;
/// As in the program that is killed.
const KEPT: u64 = 100;

fn start(path: &std::path::Path, seed: u64) -> anyhow::Result<Child> {
    let child = Command::new(env!("CARGO_BIN_EXE_spool-appender"))
        .args([path.as_os_str(), seed.to_string().as_ref()])
        .stdout(Stdio::piped())
        .spawn()?;
    Ok(child)
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
    let limits = Limits {
        bytes: u64::MAX,
        records: u64::MAX,
    };
    for seed in 0..KILLS {
        let mut child = start(&path, seed)?;
        let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        // Somewhere in the middle of a commit: the next ones follow without a pause.
        for _ in 0..=seed % 7 {
            lines.next().context("it has ended by itself")??;
        }
        std::thread::sleep(std::time::Duration::from_micros(fastrand::u64(0..4000)));
        child.kill()?;
        child.wait()?;
        let acknowledged = last(lines)?;

        let opened = Spool::open(&path, limits)?;
        ensure!(opened.set_aside.is_none(), "{:?}", opened.set_aside);
        check(opened.spool, acknowledged)?;
    }
    Ok(())
}

fn check(mut spool: Spool, acknowledged: Option<u64>) -> anyhow::Result<()> {
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
    let expected: Vec<_> = (next.saturating_sub(KEPT)..next).collect();
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

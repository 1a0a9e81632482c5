//! Appends to a spool until it is killed, and says what is on disk: `spool-appender FILE SEED KEPT`
//! prints the number of the next record after every commit. All but the last KEPT records are deleted.

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;

use monitor_spool::{Changes, Limits, Record, Spool};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = PathBuf::from(arguments.next().ok_or("expected a file")?);
    let seed: u64 = arguments.next().ok_or("expected a seed")?.parse()?;
    let kept: u64 = arguments.next().ok_or("expected a number")?.parse()?;
    let limits = Limits {
        bytes: u64::MAX,
        records: u64::MAX,
    };
    let mut spool = Spool::open(&path, limits)?.spool;
    let mut oldest = spool.next_sequence().saturating_sub(kept);
    loop {
        let next = spool.next_sequence();
        let end = next + 1 + (next * 7919 + seed) % 49;
        let append: Vec<_> = (next..end).map(record).collect();
        let delete: Vec<_> = (oldest..end.saturating_sub(kept)).collect();
        oldest = oldest.max(end.saturating_sub(kept));
        let changes = Changes {
            append: &append,
            delete: &delete,
            watermark: Some(end.cast_signed()),
        };
        spool.commit(&changes)?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{end}")?;
        out.flush()?;
    }
}

/// The content follows from the number, so that whoever reads it can tell that it is whole.
fn record(sequence: u64) -> Record {
    let length = 1 + usize::try_from(sequence % 700).unwrap_or(0);
    Record {
        sequence,
        at: sequence.cast_signed(),
        bytes: vec![sequence.to_le_bytes()[0]; length],
    }
}

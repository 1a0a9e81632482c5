//! What a checker has promised to deliver.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use monitor_core::CheckEvent;
use monitor_spool::{Limits, Most, Spool};

/// No limit that anything here comes near.
const LIMITS: Limits = Limits {
    bytes: 1 << 30,
    records: 1 << 30,
};

/// What is in the spool of a checker that does not run: the results that it has acknowledged, and the
/// instant up to which it has accounted for all slots. The file itself is left as it is.
pub fn spooled(file: &Path) -> anyhow::Result<(Vec<CheckEvent>, Option<DateTime<Utc>>)> {
    let copy = file.with_extension("copy");
    fs::copy(file, &copy).with_context(|| format!("cannot copy {}", file.display()))?;
    let mut opened = Spool::open(&copy, LIMITS)?;
    anyhow::ensure!(
        opened.set_aside.is_none(),
        "the spool of a killed checker is corrupt"
    );
    let most = Most {
        records: usize::MAX,
        bytes: u64::MAX,
    };
    let mut events = Vec::new();
    for record in opened.spool.read(0, most)? {
        // The event is at the end of whatever it is packed in.
        let begin = record.bytes.iter().position(|byte| *byte == b'{');
        let begin = begin.context("a record without an event")?;
        events.push(CheckEvent::decode(&record.bytes[begin..])?);
    }
    let reached = opened.spool.watermark();
    let reached = reached.and_then(DateTime::from_timestamp_millis);
    drop(opened);
    fs::remove_file(copy)?;
    Ok((events, reached))
}

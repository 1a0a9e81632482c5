//! The spool on disk: used while it can be, and tried again when it cannot.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::DateTime;
use metrics::{counter, gauge, histogram};
use monitor_spool::{Changes, Depth, Dropped, Gap, Limits, Most, Record, Spool, SpoolError};

use crate::outbox::total;

/// Time between attempts to have the disk back.
const RETRY: Duration = Duration::from_secs(1);

/// A spool that may be away for a while.
#[derive(Debug)]
pub(crate) struct Disk {
    path: PathBuf,
    limits: Limits,
    state: State,
    /// What was in it when it was last usable.
    depth: Depth,
}

#[derive(Debug)]
enum State {
    Usable(Spool),
    Away { why: String, retry_at: Instant },
}

impl Disk {
    /// Opens the spool. That it cannot be used is no error, but that another process has it is one.
    pub(crate) fn open(path: &Path, limits: Limits) -> Result<Self, SpoolError> {
        let mut disk = Self {
            path: path.to_owned(),
            limits,
            state: State::Away {
                why: String::new(),
                retry_at: Instant::now(),
            },
            depth: Depth::default(),
        };
        match open(path, limits) {
            Ok(spool) => disk.begin(spool),
            Err(locked @ SpoolError::Locked { .. }) => return Err(locked),
            Err(error) => disk.lost(&error),
        }
        Ok(disk)
    }

    /// The spool while it is usable.
    pub(crate) fn spool(&self) -> Option<&Spool> {
        match &self.state {
            State::Usable(spool) => Some(spool),
            State::Away { .. } => None,
        }
    }

    /// Why it cannot be used; `None` when it can.
    pub(crate) fn trouble(&self) -> Option<&str> {
        match &self.state {
            State::Usable(_) => None,
            State::Away { why, .. } => Some(why),
        }
    }

    /// How much is in it, as far as is known.
    pub(crate) fn depth(&self) -> Depth {
        self.depth
    }

    /// Tries to have it back when it is time to; true when that was a success.
    pub(crate) fn is_regained(&mut self) -> bool {
        let State::Away { retry_at, .. } = &self.state else {
            return false;
        };
        if Instant::now() < *retry_at {
            return false;
        }
        match open(&self.path, self.limits) {
            Ok(spool) => {
                tracing::info!("{} can be used again", self.path.display());
                self.begin(spool);
                true
            }
            Err(error) => {
                self.lost(&error);
                false
            }
        }
    }

    /// Makes changes durable; `None` when that cannot be done now.
    pub(crate) fn commit(&mut self, changes: &Changes<'_>) -> Option<Dropped> {
        let started = Instant::now();
        let dropped = self.with(|spool| {
            let dropped = spool.commit(changes)?;
            if spool.depth().records == 0 {
                spool.compact_if_wasteful()?;
            }
            Ok(dropped)
        })?;
        histogram!("checker_spool_commit_seconds").record(started.elapsed().as_secs_f64());
        if let Some(spool) = self.spool().filter(|_| dropped.count > 0) {
            count_gaps(spool.gaps());
        }
        Some(dropped)
    }

    /// Records from this number on; none when they cannot be read now.
    pub(crate) fn read(&mut self, from: u64, most: Most) -> Vec<Record> {
        self.with(|spool| spool.read(from, most))
            .unwrap_or_default()
    }

    /// One record, if it is there and can be read now.
    pub(crate) fn get(&mut self, sequence: u64) -> Option<Record> {
        self.with(|spool| spool.get(&[sequence]))?.pop()
    }

    fn with<T>(
        &mut self,
        operation: impl FnOnce(&mut Spool) -> Result<T, SpoolError>,
    ) -> Option<T> {
        let State::Usable(spool) = &mut self.state else {
            return None;
        };
        match operation(spool) {
            Ok(done) => {
                self.depth = spool.depth();
                Some(done)
            }
            Err(error) => {
                self.lost(&error);
                None
            }
        }
    }

    fn begin(&mut self, spool: Spool) {
        self.depth = spool.depth();
        tell_gaps(spool.gaps());
        self.state = State::Usable(spool);
    }

    /// An error is told when it is new, not at every attempt.
    fn lost(&mut self, error: &SpoolError) {
        counter!("checker_spool_errors_total").increment(1);
        let why = error.to_string();
        if self.trouble() != Some(&why) {
            tracing::error!("the spool is away: {why}; results are kept in memory");
        }
        let retry_at = Instant::now() + RETRY;
        self.state = State::Away { why, retry_at };
    }
}

fn open(path: &Path, limits: Limits) -> Result<Spool, SpoolError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| SpoolError::Unusable {
            path: folder.to_owned(),
            why: format!("the folder cannot be made: {error}"),
        })?;
    }
    let opened = Spool::open(path, limits)?;
    if let Some(set_aside) = opened.set_aside {
        counter!("checker_spool_corrupt_total").increment(1);
        tracing::error!(
            "the spool {} is corrupt ({}): set aside as {}, a new one is begun",
            path.display(),
            set_aside.why,
            set_aside.path.display()
        );
    }
    Ok(opened.spool)
}

/// Gaps stay visible after the run that left them.
fn tell_gaps(gaps: &[Gap]) {
    count_gaps(gaps);
    for gap in gaps {
        let instant = |millis| DateTime::from_timestamp_millis(millis).unwrap_or_default();
        tracing::warn!(
            results = gap.count,
            from = %instant(gap.first_at),
            until = %instant(gap.last_at),
            "a full spool has dropped results of this time: their slots have no rows"
        );
    }
}

fn count_gaps(gaps: &[Gap]) {
    let dropped: u64 = gaps.iter().map(|gap| gap.count).sum();
    gauge!("checker_spool_gap_results").set(total(dropped));
}

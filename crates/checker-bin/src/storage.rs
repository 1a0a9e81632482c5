//! Every result that is not yet delivered: on disk, and in memory for as long as the disk takes none.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;

use chrono::{DateTime, Utc};
use monitor_spool::{Changes, Depth, Limits, Most, Record, SpoolError};

use crate::disk::Disk;
use crate::drops::Drops;

/// Most that is kept in memory while the disk is away: some hundred thousand results.
const MOST_IN_MEMORY: u64 = 64 << 20;

/// Results on their way to the disk, and on it.
#[derive(Debug)]
pub(crate) struct Storage {
    disk: Disk,
    /// Not on disk yet, in order.
    memory: VecDeque<Record>,
    bytes_in_memory: u64,
    /// On disk, and to be changed there.
    replaced: Vec<Record>,
    /// On disk, and to be deleted there.
    delivered: BTreeSet<u64>,
    /// Not on disk yet.
    watermark: Option<i64>,
    next: u64,
    drops: Drops,
}

/// What a commit has come to.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    /// What is on disk now and was not before.
    pub(crate) fresh: Vec<Record>,
    /// Whether the disk is back, with everything that was left on it.
    pub(crate) regained: bool,
}

impl Storage {
    /// Opens the spool. That the disk cannot be used is no error, but that another process has the
    /// spool is one.
    pub(crate) fn open(path: &Path, limits: Limits) -> Result<Self, SpoolError> {
        let disk = Disk::open(path, limits)?;
        let next = disk.spool().map(monitor_spool::Spool::next_sequence);
        Ok(Self {
            // Without the spool, a number above all that can be in it.
            next: next.unwrap_or_else(|| Utc::now().timestamp_micros().cast_unsigned()),
            disk,
            memory: VecDeque::new(),
            bytes_in_memory: 0,
            replaced: Vec::new(),
            delivered: BTreeSet::new(),
            watermark: None,
            drops: Drops::default(),
        })
    }

    /// What the last run has reached; `None` when there was none.
    pub(crate) fn last_reached(&self) -> Option<DateTime<Utc>> {
        let watermark = self.disk.spool()?.watermark()?;
        DateTime::from_timestamp_millis(watermark)
    }

    /// A number above those of all results.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// Why the disk cannot be used; `None` when it can.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.disk.trouble()
    }

    /// How many results were dropped for want of room, if some were just now.
    pub(crate) fn dropped_lately(&self) -> Option<u64> {
        self.drops.lately()
    }

    /// How many results are in memory alone.
    pub(crate) fn in_memory(&self) -> usize {
        self.memory.len()
    }

    /// Everything that waits, on disk and in memory.
    pub(crate) fn depth(&self) -> Depth {
        let disk = self.disk.depth();
        Depth {
            records: disk.records + self.memory.len() as u64,
            bytes: disk.bytes + self.bytes_in_memory,
            oldest_at: disk
                .oldest_at
                .or(self.memory.front().map(|record| record.at)),
        }
    }

    /// Takes a result in.
    pub(crate) fn add(&mut self, at: i64, bytes: Vec<u8>) {
        let record = Record {
            sequence: self.next,
            at,
            bytes,
        };
        self.next += 1;
        self.bytes_in_memory += record.size();
        self.memory.push_back(record);
    }

    /// Every slot up to here has been dealt with by the results that were added so far.
    pub(crate) fn reached(&mut self, instant: DateTime<Utc>) {
        self.watermark = Some(instant.timestamp_millis());
    }

    /// A result has arrived, or is of no use: it is kept no longer.
    pub(crate) fn remove(&mut self, sequence: u64) {
        match self.place_in_memory(sequence) {
            Some(place) => {
                let record = self.memory.remove(place);
                self.bytes_in_memory -= record.map_or(0, |record| record.size());
            }
            None => {
                self.delivered.insert(sequence);
            }
        }
    }

    /// A result, if it is there and can be read now.
    pub(crate) fn get(&mut self, sequence: u64) -> Option<Record> {
        match self.place_in_memory(sequence) {
            Some(place) => self.memory.get(place).cloned(),
            None => self.disk.get(sequence),
        }
    }

    /// Puts other bytes in the place of a result's.
    pub(crate) fn replace(&mut self, record: Record) {
        let place = self.place_in_memory(record.sequence);
        match place.and_then(|place| self.memory.get_mut(place)) {
            Some(before) => {
                self.bytes_in_memory = self.bytes_in_memory + record.size() - before.size();
                *before = record;
            }
            None => self.replaced.push(record),
        }
    }

    /// The results from this number on, in order: those on disk, and those in memory while the disk
    /// is away.
    pub(crate) fn read(&mut self, from: u64, most: Most) -> Vec<Record> {
        if self.trouble().is_none() {
            return self.disk.read(from, most);
        }
        let start = self.memory.partition_point(|record| record.sequence < from);
        let records = self.memory.range(start..).take(most.records);
        records.cloned().collect()
    }

    /// Brings everything that was told so far to the disk, in one transaction.
    pub(crate) fn commit(&mut self) -> Committed {
        let regained = self.disk.is_regained();
        if self.trouble().is_some() {
            self.keep_memory_bounded();
            return Committed::default();
        }
        if self.is_on_disk() {
            return Committed {
                fresh: Vec::new(),
                regained,
            };
        }
        self.replaced.sort_unstable_by_key(|record| record.sequence);
        let mut append = std::mem::take(&mut self.replaced);
        let replaced = append.len();
        append.extend(self.memory.drain(..));
        let delete: Vec<u64> = self.delivered.iter().copied().collect();
        let changes = Changes {
            append: &append,
            delete: &delete,
            watermark: self.watermark,
        };
        let dropped = self.disk.commit(&changes);
        let fresh = append.split_off(replaced);
        let Some(dropped) = dropped else {
            (self.replaced, self.memory) = (append, fresh.into());
            self.keep_memory_bounded();
            return Committed::default();
        };
        self.drops.note("spool_full", dropped.count);
        self.bytes_in_memory = 0;
        self.delivered.clear();
        self.watermark = None;
        Committed { fresh, regained }
    }

    fn is_on_disk(&self) -> bool {
        self.memory.is_empty()
            && self.replaced.is_empty()
            && self.delivered.is_empty()
            && self.watermark.is_none()
    }

    fn place_in_memory(&self, sequence: u64) -> Option<usize> {
        let place = self
            .memory
            .binary_search_by_key(&sequence, |record| record.sequence);
        place.ok()
    }

    fn keep_memory_bounded(&mut self) {
        let mut dropped = 0;
        while self.bytes_in_memory > MOST_IN_MEMORY {
            let Some(record) = self.memory.pop_front() else {
                break;
            };
            self.bytes_in_memory -= record.size();
            dropped += 1;
        }
        self.drops.note("memory_full", dropped);
    }
}

#[cfg(test)]
mod tests;

//! What a process takes of the machine.

use std::fs;

use anyhow::{Context as _, ensure};

/// Most memory that a service may ever have taken. The programs under test are not optimised.
const MOST_MEMORY: u64 = 256 << 20;
/// Descriptors that a service may have more of than it had: connections that are being replaced.
const MORE_DESCRIPTORS: usize = 24;

/// Memory and descriptors of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// The most resident memory that it has ever had, in bytes.
    pub peak_memory: u64,
    /// Open descriptors.
    pub descriptors: usize,
}

/// What a process takes now.
pub fn footprint(process: u32) -> anyhow::Result<Footprint> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|text| text.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(Footprint {
        peak_memory: peak.context("the system tells no VmHWM")? << 10,
        descriptors: fs::read_dir(format!("/proc/{process}/fd"))?.count(),
    })
}

impl Footprint {
    /// Fails if the process has taken more than it may, or more and more.
    pub fn is_bounded(&self, before: Self) -> anyhow::Result<()> {
        ensure!(
            self.peak_memory <= MOST_MEMORY,
            "{} MiB of memory",
            self.peak_memory >> 20
        );
        ensure!(
            self.descriptors <= before.descriptors + MORE_DESCRIPTORS,
            "{} descriptors, {} before",
            self.descriptors,
            before.descriptors
        );
        Ok(())
    }
}

//! CPU time and memory of processes, and of the machine, from `/proc`.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Ticks of the times in `/proc`: 100 a second, a constant of the Linux ABI.
const TICK: Duration = Duration::from_millis(10);

/// What one process has used, those of its children included that have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Usage {
    id: u32,
    parent: u32,
    ticks: u64,
}

/// What the process and everything that it has started have used so far.
pub(crate) fn of_tree(root: u32) -> Result<Duration> {
    Ok(TICK * u32::try_from(ticks_of_tree(root, &all()?)).unwrap_or(u32::MAX))
}

/// What the threads of a process that are there have used so far, to the nanosecond: for a process that
/// keeps its threads, and does little.
pub(crate) fn of_threads(id: u32) -> Result<Duration> {
    let folder = format!("/proc/{id}/task");
    let threads = fs::read_dir(&folder).with_context(|| format!("cannot read {folder}"))?;
    let nanoseconds = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Ok(Duration::from_nanos(nanoseconds.sum()))
}

/// What the whole machine has used so far, time that the hypervisor took away included.
pub(crate) fn of_machine() -> Result<Duration> {
    let text = fs::read_to_string("/proc/stat").context("cannot read /proc/stat")?;
    let busy = machine_ticks(&text).context("cannot understand /proc/stat")?;
    Ok(TICK * u32::try_from(busy).unwrap_or(u32::MAX))
}

/// Resident memory of a process in bytes.
pub(crate) fn resident(id: u32) -> Result<u64> {
    memory(id, "VmRSS:")
}

/// The most that it ever was.
pub(crate) fn peak(id: u32) -> Result<u64> {
    memory(id, "VmHWM:")
}

fn memory(id: u32, field: &str) -> Result<u64> {
    let path = format!("/proc/{id}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(1024 * kibibytes.with_context(|| format!("no {field} in {path}"))?)
}

fn all() -> Result<Vec<Usage>> {
    let processes = fs::read_dir("/proc").context("cannot read /proc")?;
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    // One that has ended meanwhile is in its parent's numbers.
    Ok(ids
        .filter_map(|id| usage(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?))
        .collect())
}

/// The line of `/proc/ID/stat`. The program's name in parentheses may itself have spaces and
/// parentheses: counting starts behind it, with the third field of proc(5).
fn usage(stat: &str) -> Option<Usage> {
    let (id, _) = stat.split_once(' ')?;
    let (_, behind_name) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = behind_name.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(Usage {
        id: id.parse().ok()?,
        parent: field(4)?.try_into().ok()?,
        ticks: field(14)? + field(15)? + field(16)? + field(17)?,
    })
}

fn ticks_of_tree(root: u32, all: &[Usage]) -> u64 {
    let mut children: HashMap<u32, Vec<&Usage>> = HashMap::new();
    for usage in all {
        children.entry(usage.parent).or_default().push(usage);
    }
    let mut waiting: Vec<&Usage> = all.iter().filter(|usage| usage.id == root).collect();
    let mut ticks = 0;
    while let Some(usage) = waiting.pop() {
        ticks += usage.ticks;
        waiting.extend(children.remove(&usage.id).unwrap_or_default());
    }
    ticks
}

/// All of the first line of `/proc/stat` but `idle` and `iowait`. The guest times that follow
/// `steal` are part of the user times.
fn machine_ticks(stat: &str) -> Option<u64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let fields = line.split_whitespace().take(8).map(str::parse::<u64>);
    let fields: Vec<u64> = fields.collect::<Result<_, _>>().ok()?;
    let [user, nice, system, _idle, _iowait, irq, softirq, steal] = fields.as_slice() else {
        return None;
    };
    Some(user + nice + system + irq + softirq + steal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_confuse_the_count() {
        let stat = "42 (a) b (c) S 7 42 42 0 -1 4194560 100 0 0 0 11 12 13 14 20 0 1 0 9 0 0";
        let expected = Usage {
            id: 42,
            parent: 7,
            ticks: 50,
        };
        assert_eq!(usage(stat), Some(expected));
        assert_eq!(usage("42 (cut off"), None);
    }

    #[test]
    fn a_tree_has_everything_below_its_root_and_nothing_else() {
        let tree = [
            (1, 0, 1000),
            (2, 1, 1),
            (3, 2, 20),
            (4, 3, 300),
            (5, 1, 4000),
        ];
        let all = tree.map(|(id, parent, ticks)| Usage { id, parent, ticks });
        assert_eq!(ticks_of_tree(2, &all), 321);
        assert_eq!(ticks_of_tree(9, &all), 0);
    }

    #[test]
    fn idling_and_waiting_for_the_disk_are_not_busy() {
        let stat = "cpu  1 20 300 9999 9999 4000 50000 600000 1 1\ncpu0 5 5 5 5 5 5 5 5 0 0\n";
        assert_eq!(machine_ticks(stat), Some(654_321));
        assert_eq!(machine_ticks("intr 5"), None);
    }
}

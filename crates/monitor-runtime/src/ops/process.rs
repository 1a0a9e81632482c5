//! Metrics of the process itself, under the names that Prometheus clients share. They come from
//! `/proc`; where there is none, there are no such metrics.

use std::fmt::Write;
use std::fs;

/// Ticks in a second of the CPU and start times in `/proc`: a constant of the Linux ABI.
const TICKS_PER_SECOND: f64 = 100.0;

/// The metrics that can be had, in the Prometheus text format.
pub(super) fn render() -> String {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut text = String::new();
    let mut push = |name: &str, kind: &str, value: Option<f64>| {
        if let Some(value) = value {
            // Writing to a String cannot fail.
            let _infallible = writeln!(text, "# TYPE {name} {kind}\n{name} {value}");
        }
    };
    push("process_cpu_seconds_total", "counter", cpu_seconds(&stat));
    push("process_start_time_seconds", "gauge", start_time(&stat));
    push(
        "process_resident_memory_bytes",
        "gauge",
        kilobytes(&status, "VmRSS:"),
    );
    push("process_threads", "gauge", word(&status, "Threads:", 0));
    push("process_open_fds", "gauge", open_fds());
    push("process_max_fds", "gauge", max_fds());
    text
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    let (user, system) = (stat_field(stat, 14)?, stat_field(stat, 15)?);
    Some((user + system) / TICKS_PER_SECOND)
}

/// Seconds since 1970.
fn start_time(stat: &str) -> Option<f64> {
    let boot = word(&fs::read_to_string("/proc/stat").ok()?, "btime ", 0)?;
    Some(boot + stat_field(stat, 22)? / TICKS_PER_SECOND)
}

/// A field of `/proc/self/stat` by its number in proc(5). The second field, the program's name in
/// parentheses, may itself contain spaces: counting starts behind it.
fn stat_field(stat: &str, number: usize) -> Option<f64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.split_whitespace().nth(number - 3)?.parse().ok()
}

fn kilobytes(status: &str, key: &str) -> Option<f64> {
    word(status, key, 0).map(|kilobytes| kilobytes * 1024.0)
}

fn open_fds() -> Option<f64> {
    let count = fs::read_dir("/proc/self/fd").ok()?.count();
    // One of them is the directory that is being read.
    u32::try_from(count.saturating_sub(1)).ok().map(f64::from)
}

fn max_fds() -> Option<f64> {
    word(
        &fs::read_to_string("/proc/self/limits").ok()?,
        "Max open files",
        0,
    )
}

/// The word at `index` behind `key` on the line that begins with `key`, when it is a number.
fn word(text: &str, key: &str, index: usize) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(key))?;
    rest.split_whitespace().nth(index)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_spaces_and_parentheses_shifts_no_field() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 0 0 0 0 0 250 50 0 0 20 0 1 0 4200 0 0";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(stat_field(stat, 22), Some(4200.0));
    }

    #[test]
    fn what_is_not_there_is_left_out() {
        assert_eq!(cpu_seconds(""), None);
        assert_eq!(
            word("Max open files            unlimited", "Max open files", 0),
            None
        );
    }
}

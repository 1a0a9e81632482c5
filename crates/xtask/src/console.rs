//! What the person at the terminal sees.
#![expect(
    clippy::print_stderr,
    reason = "the one place that talks to the person at the terminal"
)]

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use terminal_size::{Width, terminal_size_of};

/// One whole line.
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}

/// Redraws the last line on a terminal; a whole line elsewhere.
pub(crate) fn redraw(line: &str) {
    if is_terminal() {
        let width = terminal_size_of(io::stderr());
        let width = width.map_or(usize::MAX, |(Width(width), _)| width.into());
        eprint!("\r\x1b[K{}", shortened(line, width));
        // A line that is drawn late is no reason to stop.
        drop(io::stderr().flush());
    } else {
        say(line);
    }
}

/// What fits into `width` columns, so that the line stays one.
fn shortened(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    let kept = line.chars().take(width.saturating_sub(1));
    kept.chain(['…']).collect()
}

/// Ends the line that [`redraw`] leaves open.
pub(crate) fn end_line() {
    if is_terminal() {
        eprintln!();
    }
}

pub(crate) fn is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// `0.4 s`, `12 s`, `3 m 20 s`.
pub(crate) fn elapsed(since: Instant) -> String {
    duration(since.elapsed())
}

fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", duration.as_secs_f32()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} m {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_does_not_fit_says_so() {
        assert_eq!(shortened("5 für 3", 7), "5 für 3");
        assert_eq!(shortened("5 für 3", 6), "5 für…");
    }

    #[test]
    fn durations_are_as_exact_as_a_person_needs() {
        assert_eq!(duration(Duration::from_millis(420)), "0.4 s");
        assert_eq!(duration(Duration::from_secs(12)), "12 s");
        assert_eq!(duration(Duration::from_secs(200)), "3 m 20 s");
    }
}

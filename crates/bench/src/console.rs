//! Progress goes to standard error; standard output has nothing but the report.
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "the one place that talks to whoever runs this"
)]

/// One line of progress.
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}

/// The report.
pub(crate) fn report(text: &str) {
    println!("{text}");
}

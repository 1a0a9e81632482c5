//! How a process says what became of it.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use monitor_config::ConfigError;

/// `EX_USAGE` of sysexits.h: the command line or the configuration cannot be used. A supervisor
/// that sees it knows that starting again will not help.
const BAD_USAGE: u8 = 64;

/// Prints every problem and gives the exit code for a configuration that cannot be used.
pub(crate) fn bad_configuration(error: &ConfigError) -> ExitCode {
    print_error(error);
    ExitCode::from(BAD_USAGE)
}

/// Prints what clap has to say: help and version are a success, all else is bad usage.
pub(crate) fn clap(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    if error.use_stderr() {
        return ExitCode::from(BAD_USAGE);
    }
    if printed.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Writes to standard error, for what must be said before there are logs.
pub(crate) fn print_error(error: &dyn Display) {
    // A closed standard error leaves nobody to tell.
    let _unheard = writeln!(std::io::stderr(), "{error}");
}

//! Panics as log events.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic;

use tracing::field;

/// Makes every panic of the process an `error` event, in the format of all other logs. The stack
/// is included when `RUST_BACKTRACE` asks for it.
pub(crate) fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let location = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let thread = std::thread::current();
        let stack = Backtrace::capture();
        let captured = stack.status() == BacktraceStatus::Captured;
        tracing::error!(
            panic.location = location,
            panic.thread = thread.name().unwrap_or("unnamed"),
            panic.backtrace = captured.then(|| field::display(&stack)),
            "panic: {}",
            message(panic.payload()),
        );
    }));
}

/// The text of a panic.
pub(crate) fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

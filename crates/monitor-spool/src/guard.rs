//! Panics of the database, which a damaged file can cause, become errors.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::Verdict;

/// Runs an operation on the database. Whoever gets a verdict must not use that database any more,
/// which is what makes it right to go on after a panic.
pub(crate) fn guarded<T>(operation: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, Verdict> {
    match catch_unwind(AssertUnwindSafe(operation)) {
        Ok(result) => result.map_err(|error| Verdict::of(&error)),
        Err(panic) => Err(Verdict::Corrupt(format!("panic: {}", message(&*panic)))),
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_as_damage_with_its_words() {
        let panicked: Result<(), _> = guarded(|| panic!("page {} is odd", 7));
        assert_eq!(
            panicked,
            Err(Verdict::Corrupt("panic: page 7 is odd".to_owned()))
        );
        assert_eq!(guarded(|| Ok(1)), Ok(1));
    }
}

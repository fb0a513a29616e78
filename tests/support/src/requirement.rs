//! Skips or fails a test whose program or data is missing.

use std::env;

/// Prints that a test is skipped because something is missing.
///
/// # Panics
/// If `SOUNDTRACK_REQUIRE=1` is set: a gate must not pass because a check could not run.
pub fn missing(what: impl std::fmt::Display) {
    assert!(
        env::var_os("SOUNDTRACK_REQUIRE").is_none_or(|value| value != "1"),
        "{what}, and SOUNDTRACK_REQUIRE=1 does not allow to skip this"
    );
    println!("skipped: {what}");
}

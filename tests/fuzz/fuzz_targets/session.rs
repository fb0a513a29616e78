//! Any text, read as a session file.
#![no_main]

#[allow(dead_code, reason = "every target uses a part of it")]
#[path = "../check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(init: check::contained_panics_are_quiet(), |data: &[u8]| check::session(data));

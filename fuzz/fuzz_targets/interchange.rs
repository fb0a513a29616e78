//! Reads any bytes as a file of another program.
#![no_main]

use soundtrack_test_support::fuzzing::check;

libfuzzer_sys::fuzz_target!(init: check::contained_panics_are_quiet(), |data: &[u8]| check::interchange(data));

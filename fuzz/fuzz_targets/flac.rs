//! Decodes any subframes in a FLAC frame whose checksums are right.
#![no_main]

use soundtrack_test_support::fuzzing::check;

libfuzzer_sys::fuzz_target!(init: check::contained_panics_are_quiet(), |data: &[u8]| check::flac(data));

//! Every format that is read, against real files and independent decoders.
//!
//! The real files lie outside the project (`SOUNDTRACK_TEST_DATA`, default `../shared/data`); the decoders and encoders
//! are programs of the machine. What is absent is skipped, with a line that says so. Run with `--nocapture` for the
//! figures.

mod riff_bytes;

#[path = "formats/apple.rs"]
mod apple;
#[path = "formats/containers.rs"]
mod containers;
#[path = "formats/damage.rs"]
mod damage;
#[path = "formats/malformed.rs"]
mod malformed;
#[path = "formats/mp2.rs"]
mod mp2;
#[path = "formats/seeking.rs"]
mod seeking;
#[path = "formats/stems.rs"]
mod stems;
#[path = "formats/tools.rs"]
mod tools;
#[path = "formats/wave.rs"]
mod wave;
#[path = "formats/zoo.rs"]
mod zoo;

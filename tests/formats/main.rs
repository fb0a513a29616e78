//! Every format that is read, against real files and independent decoders.
//!
//! The real files lie outside the project (`SOUNDTRACK_TEST_DATA`, default `../shared/data`); the decoders and encoders
//! are programs of the machine. What is absent is skipped, with a line that says so. Run with `--nocapture` for the
//! figures.

mod apple;
mod carried;
mod containers;
mod damage;
mod encoder_settings;
mod flac;
mod flac_written;
mod lighthouse;
mod malformed;
mod metadata;
mod mp2;
mod mpeg;
mod riff_bytes;
mod seeking;
mod stems;
mod tools;
mod wav_data;
mod wav_headers;
mod wav_lengths;
mod wav_written;
mod wave;
mod zoo;

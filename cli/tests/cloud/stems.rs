//! Stems as bytes, equal in every run.

use flacenc::{bitsink::ByteSink, component::BitRepr, config, error::Verify, source::MemSource};
use soundtrack::{Bounce, Decibels, Frames, Layout, SampleRate, Session, Track, storage};
use std::{fs, path::Path};

/// Returns noise at -30 dBFS, which no codec compresses much.
fn noise(seed: u32, frames: usize) -> Vec<i32> {
    let mut x = seed.wrapping_mul(2_654_435_769) | 1;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        (x as i32) >> 13
    };
    (0..frames * 2).map(|_| next()).collect()
}

/// Returns a stereo WAVE file of 24 bits at 48 kHz.
pub fn wav(seed: u32, frames: usize) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 48_000,
        bits_per_sample: 24,
        sample_format: hound::SampleFormat::Int,
    };
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
    noise(seed, frames)
        .into_iter()
        .for_each(|s| writer.write_sample(s).unwrap());
    writer.finalize().unwrap();
    bytes.into_inner()
}

/// Returns the same samples as FLAC.
pub fn flac(seed: u32, frames: usize) -> Vec<u8> {
    let config = config::Encoder::default().into_verified().unwrap();
    let source = MemSource::from_samples(&noise(seed, frames), 2, 24, 48_000);
    let mut stream =
        flacenc::encode_with_fixed_block_size(&config, source, config.block_size).unwrap();
    stream
        .stream_info_mut()
        .set_block_sizes(config.block_size, config.block_size)
        .unwrap();
    let mut sink = ByteSink::new();
    stream.write(&mut sink).unwrap();
    sink.as_slice().to_vec()
}

/// Returns a session of the stems of a folder, which may be one of a store.
pub fn session(folder: &str, names: &[&str]) -> Session {
    let mut mix = Session::new(SampleRate::HZ_48000, Layout::Stereo);
    for name in names {
        mix.add_track(Track::new(*name, format!("{folder}/{name}")).gain(Decibels(-9.0)));
    }
    mix
}

/// Mixes the same stems as local files and returns the bytes of the output.
pub fn mixed_here(stems: &[(&str, &[u8])]) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    stems
        .iter()
        .for_each(|(name, bytes)| fs::write(dir.path().join(name), bytes).unwrap());
    let names: Vec<&str> = stems.iter().map(|(name, _)| *name).collect();
    let out = dir.path().join("out.wav");
    Bounce::new()
        .run(&session(dir.path().to_str().unwrap(), &names), &out)
        .unwrap();
    fs::read(out).unwrap()
}

/// Reads a source to its end and returns the number of frames.
pub fn drained(source: &mut dyn soundtrack::Source) -> soundtrack::Result<Frames> {
    let mut block = soundtrack::Block::new(source.spec().layout, 16_384);
    let mut frames = 0;
    loop {
        match source.read(&mut block)? {
            0 => return Ok(Frames(frames)),
            n => frames += n as u64,
        }
    }
}

/// Returns all of an object.
pub fn read(link: &str) -> Vec<u8> {
    storage::read(link, 1 << 30).unwrap()
}

/// Returns a path as a link.
pub fn link(path: &Path) -> String {
    format!("file://{}", path.display()).replace(' ', "%20")
}

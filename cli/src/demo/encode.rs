//! A take into a file: rounded to its depth, interleaved, and wrapped in its format.

use super::{aiff, caf};
use flacenc::{bitsink::ByteSink, component::BitRepr, config, error::Verify, source::MemSource};
use std::{fs, io, path::Path};

/// How a stem is kept on disk.
#[derive(Clone, Copy)]
pub enum Format {
    /// WAV of whole numbers of so many bits.
    Wav(u16),
    /// WAV of 32-bit floats.
    WavFloat,
    Flac(u16),
    Aiff(u16),
    Caf(u16),
}

/// Writes the channels of a take.
pub fn write(path: &Path, format: Format, rate: u32, take: &[Vec<f64>]) -> io::Result<()> {
    let channels = take.len() as u16;
    match format {
        Format::Wav(bits) => {
            let spec = spec(channels, rate, bits, hound::SampleFormat::Int);
            let mut wav = hound::WavWriter::create(path, spec).map_err(io::Error::other)?;
            for sample in whole(take, bits) {
                wav.write_sample(sample).map_err(io::Error::other)?;
            }
            wav.finalize().map_err(io::Error::other)
        }
        Format::WavFloat => {
            let spec = spec(channels, rate, 32, hound::SampleFormat::Float);
            let mut wav = hound::WavWriter::create(path, spec).map_err(io::Error::other)?;
            for sample in interleaved(take) {
                wav.write_sample(sample as f32).map_err(io::Error::other)?;
            }
            wav.finalize().map_err(io::Error::other)
        }
        Format::Flac(bits) => fs::write(path, flac(&whole(take, bits), channels, rate, bits)?),
        Format::Aiff(bits) => fs::write(
            path,
            aiff::encode(&whole(take, bits), channels, rate, bits)?,
        ),
        Format::Caf(bits) => fs::write(path, caf::encode(&whole(take, bits), channels, rate, bits)),
    }
}

fn spec(channels: u16, rate: u32, bits: u16, format: hound::SampleFormat) -> hound::WavSpec {
    hound::WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: bits,
        sample_format: format,
    }
}

fn interleaved(take: &[Vec<f64>]) -> impl Iterator<Item = f64> {
    let frames = take.first().map_or(0, Vec::len);
    (0..frames).flat_map(move |i| take.iter().map(move |channel| channel[i]))
}

/// Interleaved whole numbers, rounded to the nearest and kept inside the depth.
fn whole(take: &[Vec<f64>], bits: u16) -> Vec<i32> {
    let scale = f64::from(1u32 << (bits - 1));
    interleaved(take)
        .map(|x| (x * scale).round().clamp(-scale, scale - 1.0) as i32)
        .collect()
}

fn flac(samples: &[i32], channels: u16, rate: u32, bits: u16) -> io::Result<Vec<u8>> {
    let refused = |what: &dyn std::fmt::Debug| io::Error::other(format!("FLAC: {what:?}"));
    let config = config::Encoder::default()
        .into_verified()
        .map_err(|(_, e)| refused(&e))?;
    let source = MemSource::from_samples(samples, channels.into(), bits.into(), rate as usize);
    let size = config.block_size;
    let mut stream =
        flacenc::encode_with_fixed_block_size(&config, source, size).map_err(|e| refused(&e))?;
    // The encoder counts the short last block in the smallest size, which RFC 9639 (8.2) leaves out: decoders
    // would take the file for one of varying blocks.
    stream
        .stream_info_mut()
        .set_block_sizes(size, size)
        .map_err(|e| refused(&e))?;
    let mut sink = ByteSink::new();
    stream.write(&mut sink).map_err(|e| refused(&e))?;
    Ok(sink.into_inner())
}

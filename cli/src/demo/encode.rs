//! Encodes channels into a file: rounds to the bit depth, interleaves, and writes the format.

use super::{aiff, caf};
use flacenc::{bitsink::ByteSink, component::BitRepr, config, error::Verify, source::MemSource};
use std::{fs, io, path::Path};

/// File format of a stem.
#[derive(Clone, Copy)]
pub enum Format {
    /// WAV of integers with this number of bits.
    Wav(u16),
    /// WAV of 32-bit floats.
    WavFloat,
    /// FLAC with this number of bits.
    Flac(u16),
    /// AIFF with this number of bits.
    Aiff(u16),
    /// CAF with this number of bits.
    Caf(u16),
}

/// Writes planar channels of equal length at this rate in Hz.
///
/// # Errors
/// Passes on the errors of the file system and the encoders.
pub fn write(path: &Path, format: Format, rate: u32, planes: &[Vec<f64>]) -> io::Result<()> {
    let channels = planes.len() as u16;
    match format {
        Format::Wav(bits) => {
            let spec = spec(channels, rate, bits, hound::SampleFormat::Int);
            let mut wav = hound::WavWriter::create(path, spec).map_err(io::Error::other)?;
            for sample in quantise(planes, bits) {
                wav.write_sample(sample).map_err(io::Error::other)?;
            }
            wav.finalize().map_err(io::Error::other)
        }
        Format::WavFloat => {
            let spec = spec(channels, rate, 32, hound::SampleFormat::Float);
            let mut wav = hound::WavWriter::create(path, spec).map_err(io::Error::other)?;
            for sample in interleave(planes) {
                wav.write_sample(sample as f32).map_err(io::Error::other)?;
            }
            wav.finalize().map_err(io::Error::other)
        }
        Format::Flac(bits) => fs::write(path, flac(&quantise(planes, bits), channels, rate, bits)?),
        Format::Aiff(bits) => fs::write(
            path,
            aiff::encode(&quantise(planes, bits), channels, rate, bits)?,
        ),
        Format::Caf(bits) => fs::write(
            path,
            caf::encode(&quantise(planes, bits), channels, rate, bits),
        ),
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

fn interleave(planes: &[Vec<f64>]) -> impl Iterator<Item = f64> {
    let frames = planes.first().map_or(0, Vec::len);
    (0..frames).flat_map(move |i| planes.iter().filter_map(move |plane| plane.get(i).copied()))
}

/// Interleaves the channels as integers, rounded to the nearest and clamped to the bit depth.
fn quantise(planes: &[Vec<f64>], bits: u16) -> Vec<i32> {
    let scale = f64::from(1u32 << (bits - 1));
    interleave(planes)
        .map(|x| (x * scale).round().clamp(-scale, scale - 1.0) as i32)
        .collect()
}

fn flac(samples: &[i32], channels: u16, rate: u32, bits: u16) -> io::Result<Vec<u8>> {
    let error = |e: &dyn std::fmt::Debug| io::Error::other(format!("FLAC: {e:?}"));
    let config = config::Encoder::default()
        .into_verified()
        .map_err(|(_, e)| error(&e))?;
    let source = MemSource::from_samples(samples, channels.into(), bits.into(), rate as usize);
    let size = config.block_size;
    let mut stream =
        flacenc::encode_with_fixed_block_size(&config, source, size).map_err(|e| error(&e))?;
    // The encoder states the short last block as the smallest block size, which RFC 9639 (8.2) excludes: decoders
    // would take the file for one with a variable block size.
    stream
        .stream_info_mut()
        .set_block_sizes(size, size)
        .map_err(|e| error(&e))?;
    let mut sink = ByteSink::new();
    stream.write(&mut sink).map_err(|e| error(&e))?;
    Ok(sink.into_inner())
}

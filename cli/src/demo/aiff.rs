//! Encodes AIFF: a FORM with a COMM chunk (format) and an SSND chunk (big-endian samples).
//!
//! After "Audio Interchange File Format AIFF, version 1.3".

use std::io;

/// Encodes interleaved samples of 16 or 24 bits as an AIFF file.
///
/// # Errors
/// An error for audio that is too long for the 32-bit sizes of AIFF.
pub fn encode(samples: &[i32], channels: u16, rate: u32, bits: u16) -> io::Result<Vec<u8>> {
    let width = usize::from(bits / 8);
    let frames = size(samples.len() / usize::from(channels))?;
    let data = size(samples.len() * width)?;
    let pad = data % 2;

    let mut file = Vec::with_capacity(64 + samples.len() * width);
    file.extend(b"FORM");
    file.extend((4 + 8 + 18 + 8 + 8 + data + pad).to_be_bytes());
    file.extend(b"AIFFCOMM");
    file.extend(18u32.to_be_bytes());
    file.extend(channels.to_be_bytes());
    file.extend(frames.to_be_bytes());
    file.extend(bits.to_be_bytes());
    file.extend(extended(rate));
    file.extend(b"SSND");
    file.extend((8 + data).to_be_bytes());
    file.extend([0; 8]); // offset and block size: samples follow directly, unaligned
    for sample in samples {
        file.extend(sample.to_be_bytes().into_iter().skip(4 - width));
    }
    file.resize(file.len() + pad as usize, 0);
    Ok(file)
}

/// Converts a size to that of a chunk.
fn size(bytes: usize) -> io::Result<u32> {
    u32::try_from(bytes).map_err(|_| io::Error::other("too long for AIFF"))
}

/// Encodes an integer as an 80-bit extended float: 15 bits of exponent, then 64 of mantissa with its leading one.
fn extended(number: u32) -> [u8; 10] {
    let shift = u64::from(number).leading_zeros();
    let exponent = (16_383 + 63 - shift) as u16;
    let mantissa = u64::from(number) << shift;
    let mut bytes = [0; 10];
    bytes[..2].copy_from_slice(&exponent.to_be_bytes());
    bytes[2..].copy_from_slice(&mantissa.to_be_bytes());
    bytes
}

//! Encodes CAF: a header, a `desc` chunk (format) and a `data` chunk (big-endian samples).
//!
//! After "Apple Core Audio Format Specification 1.0".

/// Encodes interleaved samples of 16 or 24 bits as a CAF file.
pub fn encode(samples: &[i32], channels: u16, rate: u32, bits: u16) -> Vec<u8> {
    let width = usize::from(bits / 8);
    let mut file = Vec::with_capacity(68 + samples.len() * width);
    file.extend(b"caff");
    file.extend([0, 1, 0, 0]); // version 1, no flags

    file.extend(b"desc");
    file.extend(32u64.to_be_bytes());
    file.extend(f64::from(rate).to_be_bytes());
    file.extend(b"lpcm");
    file.extend(0u32.to_be_bytes()); // flags: integer, big-endian
    file.extend((u32::from(channels) * u32::from(bits / 8)).to_be_bytes()); // bytes per packet
    file.extend(1u32.to_be_bytes()); // frames per packet
    file.extend(u32::from(channels).to_be_bytes());
    file.extend(u32::from(bits).to_be_bytes());

    file.extend(b"data");
    file.extend((4 + (samples.len() * width) as u64).to_be_bytes());
    file.extend(0u32.to_be_bytes()); // edit count
    for sample in samples {
        file.extend(sample.to_be_bytes().into_iter().skip(4 - width));
    }
    file
}

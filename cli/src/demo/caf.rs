//! CAF by hand: a header, a `desc` chunk (what it is) and a `data` chunk (big-endian samples).
//!
//! After "Apple Core Audio Format Specification 1.0".

/// The bytes of a CAF file of interleaved samples of 16 or 24 bits.
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
    file.extend((u32::from(channels) * u32::from(bits / 8)).to_be_bytes()); // bytes in a packet
    file.extend(1u32.to_be_bytes()); // frames in a packet
    file.extend(u32::from(channels).to_be_bytes());
    file.extend(u32::from(bits).to_be_bytes());

    file.extend(b"data");
    file.extend((4 + (samples.len() * width) as u64).to_be_bytes());
    file.extend(0u32.to_be_bytes()); // edit count
    for sample in samples {
        file.extend(&sample.to_be_bytes()[4 - width..]);
    }
    file
}

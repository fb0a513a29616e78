//! Writes lossless stems by integer arithmetic alone, so that every machine writes the same files.

use flacenc::{bitsink::ByteSink, component::BitRepr, config, error::Verify, source::MemSource};
use std::{fs, path::Path};

/// Sample format of a WAV stem.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    /// Integers of so many bits; 8 bits are unsigned, as WAVE has them.
    Pcm(u16),
    Float32,
    Float64,
}

/// A stem: its file, format, length and level.
#[derive(Clone, Copy)]
struct Stem {
    name: &'static str,
    coding: Coding,
    rate: u32,
    channels: u16,
    /// WAVE channel mask; 0 for none.
    mask: u32,
    frames: u32,
    /// Peak level in 1/16 of full scale.
    level: i64,
}

const fn stem(name: &'static str, coding: Coding, channels: u16, frames: u32) -> Stem {
    Stem {
        name,
        coding,
        rate: 48_000,
        channels,
        mask: 0,
        frames,
        level: 4,
    }
}

/// Returns a short 24-bit stem of a layout.
const fn bed(name: &'static str, channels: u16, mask: u32) -> Stem {
    Stem {
        mask,
        level: 3,
        ..stem(name, Coding::Pcm(24), channels, 9_600)
    }
}

const STEMS: &[Stem] = &[
    stem("click8.wav", Coding::Pcm(8), 1, 12_000),
    stem("bass16.wav", Coding::Pcm(16), 1, 48_000),
    stem("keys16.wav", Coding::Pcm(16), 2, 48_000),
    stem("lead24.wav", Coding::Pcm(24), 1, 36_000),
    stem("wide24.wav", Coding::Pcm(24), 2, 48_000),
    stem("strings24.wav", Coding::Pcm(24), 2, 96_000),
    stem("long24.wav", Coding::Pcm(24), 2, 192_000),
    stem("wide32.wav", Coding::Pcm(32), 2, 48_000),
    stem("keys32f.wav", Coding::Float32, 2, 40_000),
    stem("double64f.wav", Coding::Float64, 1, 30_000),
    Stem {
        level: 22,
        ..stem("hot32f.wav", Coding::Float32, 2, 48_000)
    },
    Stem {
        rate: 44_100,
        ..stem("keys16_44k.wav", Coding::Pcm(16), 2, 44_100)
    },
    Stem {
        rate: 44_100,
        ..stem("bass24_44k.wav", Coding::Pcm(24), 1, 40_000)
    },
    Stem {
        rate: 96_000,
        ..stem("keys16_96k.wav", Coding::Pcm(16), 2, 60_000)
    },
    Stem {
        rate: 96_000,
        ..stem("bass24_96k.wav", Coding::Pcm(24), 1, 50_000)
    },
    stem("dx_en.wav", Coding::Pcm(16), 1, 24_000),
    stem("dx_de.wav", Coding::Pcm(16), 1, 30_000),
    stem("1m1/violins.wav", Coding::Pcm(24), 2, 30_000),
    stem("1m1/celli.wav", Coding::Pcm(24), 1, 30_000),
    stem("1m1/basses.wav", Coding::Pcm(16), 1, 24_000),
    bed("mono.wav", 1, 0x4),
    bed("stereo.wav", 2, 0x3),
    bed("2.1.wav", 3, 0xB),
    bed("lcr.wav", 3, 0x7),
    bed("lcrs.wav", 4, 0x107),
    bed("quad.wav", 4, 0x33),
    bed("5.0.wav", 5, 0x37),
    bed("5.1.wav", 6, 0x3F),
    bed("6.1.wav", 7, 0x70F),
    bed("7.0.wav", 7, 0x637),
    bed("7.1.wav", 8, 0x63F),
    bed("four.wav", 4, 0),
];

/// FLAC stems: file, bits, channels, frames.
const FLACS: &[(&str, usize, usize, u32)] = &[
    ("drums.flac", 16, 2, 48_000),
    ("horn.flac", 24, 1, 48_000),
    ("1m1/harp.flac", 16, 2, 24_000),
];

/// Frames of each FLAC block.
const FLAC_BLOCK: usize = 4_096;

/// Full scale of a sample as [`sample`] gives it.
const FULL: i64 = 1 << 31;

/// Hashes bytes to a seed, so that every stem sounds different (FNV-1a).
fn seed(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// Returns noise in −1 .. 1 times `FULL`, a function of its arguments alone.
fn noise(seed: u64, frame: u64) -> i64 {
    let mut x = seed ^ frame.wrapping_mul(0xD1B5_4A32_D192_ED03);
    for _ in 0..3 {
        x = (x ^ (x >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    }
    i64::from((x >> 32) as i32)
}

/// Returns one sample, full scale ±2^31: a triangle wave with noise, which fades in and out within 50 ms so that
/// stems do not start with a click.
pub fn sample(name: &str, channel: u16, frame: u32, frames: u32, level: i64) -> i64 {
    const SWELL: i64 = 2_400;
    let seed = seed(name) ^ (u64::from(channel) << 40);
    let period = 80 + (seed % 397) as i64;
    let (n, last) = (i64::from(frame), i64::from(frames) - 1);
    let phase = n % period;
    let triangle = (2 * phase - period).abs() * 2 * FULL / period - FULL;
    let voice = (triangle * 3 + noise(seed, u64::from(frame))) / 4;
    let swell = n.min(last - n).min(SWELL);
    voice * swell / SWELL * level / 16
}

/// Returns the bytes of one sample.
fn coded(x: i64, coding: Coding) -> Vec<u8> {
    match coding {
        Coding::Pcm(8) => vec![((x >> 24) + 128) as u8],
        Coding::Pcm(bits) => {
            ((x >> (32 - bits)) as i32).to_le_bytes()[..usize::from(bits / 8)].to_vec()
        }
        Coding::Float32 => (((x >> 8) as f64 / 8_388_608.0) as f32)
            .to_le_bytes()
            .to_vec(),
        Coding::Float64 => (x as f64 / 2_147_483_648.0).to_le_bytes().to_vec(),
    }
}

/// Returns a chunk of a RIFF file, padded to an even length.
fn chunk(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut out = id.to_vec();
    out.extend((body.len() as u32).to_le_bytes());
    out.extend(body);
    out.resize(out.len().next_multiple_of(2), 0);
    out
}

/// Returns the bytes of a WAV stem. `reference`: the frame after midnight for a Broadcast-WAV chunk.
fn wav(stem: &Stem, reference: Option<u64>) -> Vec<u8> {
    let (tag, bits) = match stem.coding {
        Coding::Pcm(bits) => (1u16, bits),
        Coding::Float32 => (3, 32),
        Coding::Float64 => (3, 64),
    };
    let block = stem.channels * bits / 8;
    let extensible = stem.channels > 2;
    let mut fmt = (if extensible { 0xFFFE } else { tag })
        .to_le_bytes()
        .to_vec();
    fmt.extend(stem.channels.to_le_bytes());
    fmt.extend(stem.rate.to_le_bytes());
    fmt.extend((stem.rate * u32::from(block)).to_le_bytes());
    fmt.extend(block.to_le_bytes());
    fmt.extend(bits.to_le_bytes());
    if extensible {
        fmt.extend(22u16.to_le_bytes());
        fmt.extend(bits.to_le_bytes());
        fmt.extend(stem.mask.to_le_bytes());
        fmt.extend(u32::from(tag).to_le_bytes());
        fmt.extend([0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]);
    }
    let mut data = Vec::new();
    for frame in 0..stem.frames {
        for channel in 0..stem.channels {
            data.extend(coded(
                sample(stem.name, channel, frame, stem.frames, stem.level),
                stem.coding,
            ));
        }
    }
    let mut chunks = chunk(b"fmt ", &fmt);
    if let Some(reference) = reference {
        // EBU Tech 3285: the 64-bit time reference stands 338 bytes into a chunk of at least 602.
        let mut bext = vec![0; 602];
        bext[338..346].copy_from_slice(&reference.to_le_bytes());
        chunks.extend(chunk(b"bext", &bext));
    }
    chunks.extend(chunk(b"data", &data));
    let mut out = b"RIFF".to_vec();
    out.extend((chunks.len() as u32 + 4).to_le_bytes());
    out.extend(b"WAVE");
    out.extend(chunks);
    out
}

/// Returns the bytes of a FLAC stem.
fn flac(name: &str, bits: usize, channels: usize, frames: u32) -> Vec<u8> {
    let config = config::Encoder::default()
        .into_verified()
        .expect("the default settings");
    let mut samples = Vec::new();
    for frame in 0..frames {
        for channel in 0..channels {
            samples.push((sample(name, channel as u16, frame, frames, 4) >> (32 - bits)) as i32);
        }
    }
    let source = MemSource::from_samples(&samples, channels, bits, 48_000);
    let mut sink = ByteSink::new();
    let stream =
        flacenc::encode_with_fixed_block_size(&config, source, FLAC_BLOCK).expect("encodes");
    stream.write(&mut sink).expect("fits into memory");
    sink.as_slice().to_vec()
}

/// Returns an EBML element with a size of eight bytes.
fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
    let mut out = id.to_vec();
    out.extend((body.len() as u64 | 1 << 56).to_be_bytes());
    out.extend(body);
    out
}

fn number(id: &[u8], value: u32) -> Vec<u8> {
    element(id, &value.to_be_bytes())
}

/// Returns a Matroska file with two streams of 16-bit PCM, mono and stereo, in blocks of 10 ms (RFC 9559).
fn matroska(frames: u32) -> Vec<u8> {
    const BLOCK: u32 = 480;
    let mut tracks = Vec::new();
    for (index, channels) in [1u8, 2].into_iter().enumerate() {
        let mut audio = element(&[0xB5], &48_000f64.to_be_bytes());
        audio.extend(number(&[0x9F], channels.into()));
        audio.extend(number(&[0x62, 0x64], 16));
        let mut entry = number(&[0xD7], index as u32 + 1);
        entry.extend(number(&[0x73, 0xC5], index as u32 + 1));
        entry.extend(number(&[0x83], 2));
        entry.extend(element(&[0x86], b"A_PCM/INT/LIT"));
        entry.extend(element(&[0xE1], &audio));
        tracks.extend(element(&[0xAE], &entry));
    }
    let mut clusters = Vec::new();
    for block in 0..frames / BLOCK {
        let mut cluster = number(&[0xE7], block * 10);
        for (index, channels) in [1u16, 2].into_iter().enumerate() {
            // Track number, time after the cluster's, and the flag of a key frame.
            let mut body = vec![0x81 + index as u8, 0, 0, 0x80];
            for frame in block * BLOCK..(block + 1) * BLOCK {
                for channel in 0..channels {
                    let x = sample(["two.mka#1", "two.mka#2"][index], channel, frame, frames, 4);
                    body.extend(coded(x, Coding::Pcm(16)));
                }
            }
            cluster.extend(element(&[0xA3], &body));
        }
        clusters.extend(element(&[0x1F, 0x43, 0xB6, 0x75], &cluster));
    }
    let mut info = number(&[0x2A, 0xD7, 0xB1], 1_000_000);
    info.extend(element(&[0x4D, 0x80], b"tests"));
    info.extend(element(&[0x57, 0x41], b"tests"));
    info.extend(element(
        &[0x44, 0x89],
        &f64::from(frames / 48).to_be_bytes(),
    ));
    let mut segment = element(&[0x15, 0x49, 0xA9, 0x66], &info);
    segment.extend(element(&[0x16, 0x54, 0xAE, 0x6B], &tracks));
    segment.extend(clusters);
    let mut out = element(
        &[0x1A, 0x45, 0xDF, 0xA3],
        &element(&[0x42, 0x82], b"matroska"),
    );
    out.extend(element(&[0x18, 0x53, 0x80, 0x67], &segment));
    out
}

/// Writes all stems into a folder.
pub fn write(folder: &Path) {
    fs::create_dir_all(folder.join("1m1")).expect("a folder for the stems");
    let put =
        |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).expect("room for the stems");
    for stem in STEMS {
        put(stem.name, &wav(stem, None));
    }
    // Recorded in the first second after 01:00:00:00.
    for (name, after) in [("origin_a.wav", 12_345), ("origin_b.wav", 36_345)] {
        let origin = stem(name, Coding::Pcm(24), 1, 24_000);
        put(name, &wav(&origin, Some(3_600 * 48_000 + after)));
    }
    for &(name, bits, channels, frames) in FLACS {
        put(name, &flac(name, bits, channels, frames));
    }
    put("two.mka", &matroska(24_000));

    // Cut off after 30 000 of 48 000 frames of 6 bytes.
    let whole = wav(&stem("cut.wav", Coding::Pcm(24), 2, 48_000), None);
    put("cut.wav", &whole[..44 + 30_000 * 6]);
    // 100 frames of no number, and an infinite one, in the middle.
    let mut numbers = wav(&stem("nan32f.wav", Coding::Float32, 1, 24_000), None);
    for frame in (10_000..10_100).chain([15_000]) {
        let value = if frame == 15_000 {
            f32::INFINITY
        } else {
            f32::NAN
        };
        numbers[44 + 4 * frame..][..4].copy_from_slice(&value.to_le_bytes());
    }
    put("nan32f.wav", &numbers);
    // One byte is wrong: the checksum of its block says so.
    let mut damaged = flac("damaged.flac", 16, 2, 48_000);
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xFF;
    put("damaged.flac", &damaged);
}
